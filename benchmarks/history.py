"""What everybody does in two weeks, written straight into the event log of workspaces that `companies` made."""

from benchmarks.bench import Bench, tell

DAYS = 14

# One SELECT for each type: a key by which events of an employee are put in order, the type, the payload.
_EVENTS = """
    SELECT workspace_id, employee_id, sort, type, payload || jsonb_build_object('employee_id', employee_id) AS payload
    FROM people CROSS JOIN LATERAL (
        SELECT 100 + day AS sort, 'time.entered' AS type, jsonb_build_object(
            'entry_id', employee_id || ':h' || day, 'date', first + day, 'activity_id', 'work', 'minutes', 400 + day
        ) AS payload FROM generate_series(0, %(days)s - 1) AS day
        UNION ALL
        SELECT 150, 'time.removed', jsonb_build_object('entry_id', employee_id || ':h1')
        UNION ALL
        SELECT 200, 'time_off.requested', jsonb_build_object('absence_id', employee_id || '-old',
            'policy_id', 'holiday', 'start_date', first, 'end_date', first + 1)
        UNION ALL
        SELECT 201, 'time_off.approved', jsonb_build_object('absence_id', employee_id || '-old')
        UNION ALL
        SELECT 202, 'time_off.consumed', jsonb_build_object('absence_id', employee_id || '-old', 'policy_id', 'holiday',
            'account_id', 'holiday', 'activity_id', 'off', 'from_date', first, 'to_date', first + 1, 'amount', 200,
            'days', jsonb_build_array(
                jsonb_build_object('date', first, 'minutes', 444, 'amount', 100),
                jsonb_build_object('date', first + 1, 'minutes', 444, 'amount', 100)))
        UNION ALL
        SELECT 300 + period * 10 + step, (ARRAY['statement.period_started', 'statement.ready', 'statement.submitted',
                'statement.approved'])[step], jsonb_build_object('statement_id', employee_id || ':' || period,
            'terms_id', 't-weekly', 'period_start', first + 7 * period, 'period_end', first + 7 * period + 6,
            'approvers', jsonb_build_array('e-1'), 'by', 'e-1')
        FROM generate_series(0, 1) AS period, generate_series(1, 4 - 2 * period) AS step
        UNION ALL
        SELECT 400 + month, 'account.credited', jsonb_build_object('account_id', 'extra', 'amount', 42,
            'date', first - 30 * month, 'policy_id', 'extra', 'entry_id', 'extra:' || employee_id || ':' || month)
        FROM generate_series(0, 2) AS month
        UNION ALL
        SELECT 390, 'accrual.forecast_computed', jsonb_build_object('policy_id', 'extra', 'fingerprint', 'f',
            'computed_from', first - 90, 'horizon_end', first + 700, 'entries', (
                SELECT jsonb_agg(jsonb_build_object('entry_id', 'extra:' || employee_id || ':' || month, 'kind',
                    'credit', 'due_date', first + 30 * month, 'amount', 42, 'year_start', date '2026-01-01'))
                FROM generate_series(0, 11) AS month))
        UNION ALL
        SELECT 450, 'change.scheduled', jsonb_build_object('change_id', employee_id || '-c', 'entity', 'employee',
            'entity_id', employee_id, 'effective_date', date '2099-01-01', 'values', '{"name": "Later"}'::jsonb)
        UNION ALL
        SELECT 500, 'norm.published', jsonb_build_object('through_week', monday + 84, 'fingerprint', 'f', 'weeks', (
            SELECT jsonb_agg(jsonb_build_object('monday', monday + 7 * week, 'minutes',
                jsonb_build_array(444, 444, 444, 444, 444, 0, 0), 'holidays', '[]'::jsonb))
            FROM generate_series(0, 12) AS week))
        UNION ALL
        SELECT 600 + number, 'notification.created', jsonb_build_object('user_id', user_id, 'notification_id',
            employee_id || '-n' || number, 'dedup_key', employee_id || '-n' || number, 'kind', 'statement_deadline',
            'channels', '["in_app", "email"]'::jsonb, 'data', '{"employee_name": "Søren"}'::jsonb)
        FROM generate_series(0, 1) AS number
        UNION ALL
        SELECT 610, 'notification.read', jsonb_build_object('user_id', user_id, 'notification_id', employee_id || '-n0')
    ) e
"""
_PEOPLE = """
    CREATE TEMPORARY TABLE people ON COMMIT DROP AS
    SELECT w.workspace_id, 'e-' || number AS employee_id, 'u-' || number AS user_id, date '2026-01-05' AS first,
        date '2026-01-05' AS monday
    FROM batch_jobs.workspaces w CROSS JOIN generate_series(0, %(employees)s - 1) AS number
"""
_APPEND = f"""
    INSERT INTO batch_jobs.events
        (workspace_id, position, event_id, type, version, occurred_at, actor, employee_id, targets, payload)
    SELECT e.workspace_id, w.head + row_number() OVER (PARTITION BY e.workspace_id ORDER BY sort, e.employee_id),
        gen_random_uuid(), type, 1, timestamptz '2026-01-20 12:00Z', 'user:u-1', e.employee_id, '{{}}', payload
    FROM ({_EVENTS}) e JOIN batch_jobs.workspaces w USING (workspace_id)
"""
ADVANCE = """
    UPDATE batch_jobs.workspaces w SET head = e.head
    FROM (SELECT workspace_id, max(position) AS head FROM batch_jobs.events GROUP BY 1) e
    WHERE e.workspace_id = w.workspace_id
"""


def write_history(bench: Bench) -> int:
    """Append the events. Returns how many there are in the log then."""
    tell("writing two weeks of everybody into the log")
    values = {"employees": bench.sizes.employees, "days": DAYS}
    with bench.database.owner() as connection:
        connection.execute(_PEOPLE, values)
        connection.execute(_APPEND, values)
        connection.execute(ADVANCE)
        row = connection.execute("SELECT count(*) FROM batch_jobs.events").fetchone()
    assert row
    return int(row[0])
