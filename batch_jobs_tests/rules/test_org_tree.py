"""The org tree: paths, descendants, managers and cycles (domain 3.1)."""

from datetime import date

from batch_jobs_tests.rules.people import employee, employment, unit, workforce

DAY = date(2024, 5, 15)
TREE = [unit("company", head_id="boss"), unit("it", "company"), unit("web", "it", head_id="lead"), unit("ops", "it")]


def hired(who: str, org_unit_id: str | None, **fields):
    return employment(f"{who}/1", date(2024, 1, 1), org_unit_id=org_unit_id, **fields)


def test_a_path_goes_from_the_root_down():
    assert workforce(*TREE).org_path("web", DAY) == ("company", "it", "web")


def test_descendants_include_the_unit_itself():
    staff = workforce(*TREE)
    assert staff.descendants("it", DAY) == {"it", "web", "ops"}
    assert staff.descendants("web", DAY) == {"web"}


def test_a_unit_that_is_not_defined_is_not_in_the_tree():
    staff = workforce(unit("web", "gone"))
    assert staff.org_path("web", DAY) == ("web",)
    assert staff.org_path("gone", DAY) == staff.org_path(None, DAY) == ()
    assert staff.descendants("gone", DAY) == frozenset()


def test_a_cycle_is_walked_once():
    staff = workforce(
        unit("a", "b"), unit("b", "c"), unit("c", "a", head_id="chief"), unit("self", "self"), hired("e", "a")
    )
    assert staff.org_path("a", DAY) == ("c", "b", "a")
    assert staff.org_path("c", DAY) == ("b", "a", "c")
    assert staff.org_path("self", DAY) == ("self",)
    assert staff.descendants("a", DAY) == {"a", "b", "c"}
    assert staff.manager("e", DAY) == "chief"


def test_a_cycle_without_a_head_has_no_manager():
    assert workforce(unit("a", "b"), unit("b", "a"), hired("e", "a")).manager("e", DAY) is None


def test_the_employment_s_manager_comes_first():
    assert workforce(*TREE, hired("e", "web", manager_id="mentor")).manager("e", DAY) == "mentor"


def test_without_one_the_nearest_head_manages():
    staff = workforce(*TREE, hired("e", "web"), hired("f", "ops"), hired("g", "gone"), hired("h", None))
    assert [staff.manager(who, DAY) for who in "efgh"] == ["lead", "boss", None, None]


def test_nobody_manages_themself():
    staff = workforce(*TREE, hired("lead", "web"), hired("boss", "company"), hired("e", "web", manager_id="e"))
    assert staff.manager("lead", DAY) == "boss"
    assert staff.manager("boss", DAY) is None
    assert staff.manager("e", DAY) == "lead"


def test_nobody_manages_someone_who_has_left():
    left = employment("e/1", date(2023, 1, 1), date(2023, 12, 31), org_unit_id="web")
    staff = workforce(*TREE, left)
    assert staff.manager("e", DAY) is None
    assert staff.manager_of(staff.shown_employment("e", DAY), DAY) == "lead"
    assert staff.manager("e", staff.last_covered_day("e", DAY)) == "lead"


def test_a_move_of_a_unit_leaves_earlier_days_alone():
    moved = date(2024, 5, 1)
    staff = workforce(
        *TREE, unit("sales", "company", head_id="seller"), unit("ops", "sales", since=moved), hired("e", "ops")
    )
    before = date(2024, 4, 30)
    assert [staff.org_path("ops", before), staff.org_path("ops", moved)] == [
        ("company", "it", "ops"),
        ("company", "sales", "ops"),
    ]
    assert [staff.manager("e", before), staff.manager("e", moved)] == ["boss", "seller"]
    assert staff.descendants("it", moved) == {"it", "web"}


def test_a_former_parent_s_changes_count_while_it_was_the_parent():
    renewed, moved = date(2024, 3, 1), date(2024, 5, 1)
    staff = workforce(
        unit("old", head_id="first"),
        unit("old", head_id="second", since=renewed),
        unit("new", head_id="third"),
        unit("team", "old"),
        unit("team", "new", since=moved),
        hired("e", "team"),
    )
    days = [date(2024, 2, 29), renewed, date(2024, 4, 30), moved]
    assert [staff.manager("e", day) for day in days] == ["first", "second", "second", "third"]


def test_the_employees_of_a_unit():
    staff = workforce(
        *TREE, employee("e"), hired("e", "web"), employee("f"), hired("f", "company"), hired("removed", "it")
    )
    assert staff.unit_employees("it", DAY) == {"e"}
    assert staff.unit_employees("company", DAY) == {"e", "f"}
    assert staff.unit_employees("company", date(2023, 12, 31)) == frozenset()


def test_a_deep_tree_needs_no_recursion():
    depth = 5000
    staff = workforce(
        unit("u0", head_id="top"), *(unit(f"u{n}", f"u{n - 1}") for n in range(1, depth)), hired("e", "u4999")
    )
    assert len(staff.org_path("u4999", DAY)) == depth
    assert len(staff.descendants("u0", DAY)) == depth
    assert staff.manager("e", DAY) == "top"
