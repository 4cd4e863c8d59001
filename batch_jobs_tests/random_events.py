"""Random events of every type there is, about so few people and things that they meet."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from hypothesis import strategies as st

from batch_jobs_tests import absence_events as time_off
from batch_jobs_tests import accrual_events as accounts
from batch_jobs_tests import builders as make
from batch_jobs_tests.builders import Event, event

FIRST = date(2026, 1, 1)
DAYS = [FIRST + timedelta(days=number) for number in range(12)]
MONDAYS = [date(2025, 12, 29), date(2026, 1, 5), date(2026, 1, 12)]


def one_of(*values: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from(values)


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


day, since = one_of(*DAYS), maybe(one_of(*DAYS))
people, users = one_of("e-1", "e-2", "e-3"), one_of("u-1", "u-2")
units, calendars, terms_ids = one_of("ou-1", "ou-2", "ou-3"), one_of("c-1", "c-2"), one_of("t-1", "t-2")
policies, account_ids, activities = one_of("p-1", "p-2"), one_of("days", "hours"), one_of("a-1", "a-2", "a-3")
absence_ids, entry_ids, change_ids = one_of("ab-1", "ab-2"), one_of("te-1", "te-2"), one_of("ch-1", "ch-2")
notification_ids, names = one_of("n-1", "n-2"), one_of("Ada", "Søren Holm", "O'Neil", "李雷")
spans = st.tuples(day, day).map(sorted)


def payload_of(event_type: str, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Event]:
    return st.builds(lambda payload: event(event_type, payload), st.fixed_dictionaries(fields))


def of_absence(what: str, **fields: Any) -> st.SearchStrategy[Event]:
    return st.builds(time_off.decided, st.just(what), absence_ids, employee_id=people, **fields)


def of_statement(
    what: str, *, with_targets: bool = False, **fields: st.SearchStrategy[Any]
) -> st.SearchStrategy[Event]:
    said = st.builds(make.statement, st.just(what), people, st.just(FIRST), st.just(DAYS[-1]), **fields)
    return (
        st.builds(lambda one, who: {**one, "targets": who}, said, st.lists(people, max_size=1))
        if with_targets
        else said
    )


def forecast_entry(employee_id: str, policy_id: str, due: date) -> str:
    return f"{employee_id}:{policy_id}:accrual:{due}"


# One or several strategies for each type; in this order each finds most of what it speaks of.
EVENTS: Mapping[str, st.SearchStrategy[Event]] = {
    "workspace.created": st.builds(
        make.workspace, timezone=one_of("Asia/Tokyo", "UTC"), default_holiday_calendar_id=maybe(calendars)
    ),
    "holiday_calendar.defined": st.builds(make.calendar, calendars, since=since, country=one_of("DK", "FR")),
    "activity.defined": payload_of(
        "activity.defined",
        activity_id=activities,
        name=names,
        kind=one_of("work", "time_off", "non_work"),
        parent_id=maybe(activities),
        effective_date=since,
    ),
    "project.defined": payload_of(
        "project.defined",
        project_id=one_of("pr-1", "pr-2"),
        name=names,
        status=one_of("active", "closed"),
        manager_id=maybe(people),
        effective_date=since,
    ),
    "time_account.defined": st.builds(lambda name: time_off.account(name, name), account_ids),
    "time_off_policy.defined": st.builds(
        time_off.time_off_policy,
        policies,
        since=since,
        account_id=maybe(account_ids),
        activity_id=maybe(activities),
        accrual=one_of(None, accounts.MONTHLY, accounts.DANISH),
    ),
    "allowance_policy.defined": payload_of(
        "allowance_policy.defined", policy_id=policies, name=names, account_id=maybe(account_ids), effective_date=since
    ),
    "work_time_policy.defined": st.builds(
        make.policy, st.just("w-1"), since=since, norm=one_of([[60] * 7], [[90] * 7])
    ),
    "employment_terms.defined": st.builds(
        make.terms,
        terms_ids,
        since=since,
        approval_period=one_of("none", "weekly"),
        time_off_policy_ids=st.lists(policies, unique=True),
        allowance_policy_ids=st.lists(policies, max_size=1),
        work_time_policy_id=one_of(None, "w-1"),
        holiday_calendar_id=maybe(calendars),
    ),
    "org_unit.defined": st.builds(
        make.unit, units, maybe(units), since=since, head_id=maybe(people), holiday_calendar_id=maybe(calendars)
    ),
    "employee.defined": st.builds(make.employee, people, since=since, name=names),
    "employment.defined": st.builds(
        make.employment,
        one_of("e-1/1", "e-2/1", "e-3/1"),
        day,
        maybe(day),
        since=since,
        employee_id=people,
        job_title=maybe(names),
        terms_id=terms_ids,
        org_unit_id=maybe(units),
        manager_id=maybe(people),
        holiday_calendar_id=maybe(calendars),
    ),
    "user.defined": st.builds(make.user, users, maybe(people), since=since, status=one_of("invited", "active")),
    "change.scheduled": payload_of(
        "change.scheduled",
        change_id=change_ids,
        entity=st.just("employee"),
        entity_id=people,
        effective_date=day,
        values=st.fixed_dictionaries({"name": names}),
    ),
    "time_off.requested": st.builds(
        lambda name, span, open_ended, **fields: time_off.requested(
            name, span[0], None if open_ended else span[1], **fields
        ),
        absence_ids,
        spans,
        st.booleans(),
        employee_id=people,
        policy_id=policies,
        approval_required=st.booleans(),
        fraction=one_of(1.0, 0.5),
    ),
    "time_off.approved": of_absence("approved"),
    "time_off.consumed": st.builds(
        lambda name, span, **fields: time_off.consumed(name, *span, span[:1], **fields),
        absence_ids,
        spans,
        employee_id=people,
        account_id=maybe(account_ids),
        activity_id=maybe(activities),
    ),
    "absence.registered": st.builds(time_off.registered, absence_ids, day, employee_id=people, activity_id=activities),
    "accrual.forecast_computed": st.builds(
        accounts.forecast,
        day,
        st.dictionaries(day, st.integers(0, 9), max_size=3),
        employee_id=people,
        policy_id=policies,
    ),
    "account.credited": st.builds(
        lambda amount, due, who, policy: accounts.credited(
            amount, due, employee_id=who, policy_id=policy, entry_id=policy and forecast_entry(who, policy, due)
        ),
        st.integers(-9, 9),
        day,
        people,
        maybe(policies),
    ),
    "account.expired": st.builds(
        lambda amount, due, who, policy: accounts.expired(
            amount, due, forecast_entry(who, policy, due), employee_id=who
        ),
        st.integers(0, 9),
        day,
        people,
        policies,
    ),
    "time.entered": st.builds(
        make.time_entered, entry_ids, people, date=day, activity_id=activities, minutes=one_of(1, 60)
    ),
    "time.removed": payload_of("time.removed", entry_id=entry_ids, employee_id=people),
    "statement.period_started": of_statement("period_started"),
    "statement.ready": of_statement("ready", with_targets=True),
    "statement.overdue": of_statement("overdue", with_targets=True),
    "statement.submitted": of_statement("submitted", approvers=st.lists(people, max_size=2, unique=True)),
    "statement.approved": of_statement("approved", by=people),
    "statement.reopened": of_statement("reopened", by=people, note=st.just("again")),
    "norm.published": payload_of(
        "norm.published",
        employee_id=people,
        through_week=one_of(*MONDAYS),
        fingerprint=one_of("f", "g"),
        weeks=st.lists(
            st.fixed_dictionaries(
                {"monday": one_of(*MONDAYS), "minutes": one_of([60] * 7, [0] * 7), "holidays": st.just([])}
            ),
            max_size=2,
            unique_by=lambda week: week["monday"],
        ),
    ),
    "notification.created": payload_of(
        "notification.created",
        notification_id=notification_ids,
        user_id=users,
        kind=one_of("note", "timeoff_reminder"),
        channels=one_of(["in_app"], ["email"], ["in_app", "email"]),
        data=st.fixed_dictionaries({"absence_ids": st.lists(absence_ids, max_size=1)}),
        dedup_key=one_of("k-1", "k-2"),
    ),
    "notification.read": payload_of("notification.read", notification_id=notification_ids, user_id=users),
    "notification.dismissed": payload_of("notification.dismissed", notification_id=notification_ids, user_id=users),
    "notification.purged": payload_of("notification.purged", notification_id=notification_ids, user_id=users),
    "time_off.rejected": of_absence("rejected"),
    "time_off.interrupted": st.builds(time_off.interrupted, absence_ids, day, employee_id=people),
    "time_off.cancelled": of_absence("cancelled"),
    "change.cancelled": payload_of("change.cancelled", change_id=change_ids),
    "change.applied": payload_of("change.applied", change_id=change_ids),
    "user.invitation_expired": st.builds(make.invitation_expired, users),
    "employee.removed": st.builds(make.removed, people),
    "workspace.suspended": payload_of("workspace.suspended"),
    "workspace.resumed": payload_of("workspace.resumed"),
    "workspace.deleted": payload_of("workspace.deleted"),
}
TYPES = tuple(EVENTS)


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    """At least one event of every type, and some more, each near to its place in `EVENTS`."""
    more = draw(st.lists(one_of(*TYPES), max_size=25))
    places = [(TYPES.index(name) + draw(st.integers(0, 12)), name) for name in (*TYPES, *more)]
    return [draw(EVENTS[name]) for _, name in sorted(places)]
