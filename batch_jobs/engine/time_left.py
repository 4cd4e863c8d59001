"""How long work will still take, going by how long it took so far. Pure."""


def time_left(done: int, total: int, seconds: float) -> str | None:
    """In words, such as `about 3 min left`; None while there is nothing to go by, and at the end.

    Args:
        done: units that are done.
        total: units in all.
        seconds: that those which are done have taken.
    """
    if not 0 < done < total or seconds < 1:
        return None
    left = seconds * (total - done) / done
    if left < 60:
        return f"about {max(round(left), 1)} s left"
    if left < 3600:
        return f"about {round(left / 60)} min left"
    return f"about {left / 3600:.1f} h left"
