"""Whether people would be told of trouble."""

from batch_jobs.announcing.announcements import refused
from batch_jobs.announcing.channels import NOBODY, channel_names
from batch_jobs.doctor.finding import Finding
from batch_jobs.errors import BadInputError
from batch_jobs.settings import Settings
from batch_jobs.store.database import Database


def examine(database: Database, settings: Settings) -> Finding:
    """Name the channels, and those that did not take what they were told."""
    try:
        channels = channel_names(settings)
    except BadInputError as error:
        return Finding("announcements", "problem", str(error), "nobody is told of trouble until then")
    if not channels:
        return Finding("announcements", "ok", NOBODY)
    with database.owner() as connection:
        waiting = [one for one in refused(connection) if one[0] in channels]
    if waiting:
        told = [
            f"{name}: {number} wait since {since:%Y-%m-%d %H:%M} UTC: {reply}" for name, number, since, reply in waiting
        ]
        remedy = "mend the channel, or correct its BATCH_JOBS_ANNOUNCE_… variable; they are tried again by themselves"
        return Finding("announcements", "problem", "; ".join(told), remedy)
    return Finding("announcements", "ok", f"trouble is told to: {', '.join(channels)}")
