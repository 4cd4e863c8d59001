"""A process that reads names in the directory without pause until it is told to stop, then prints all that it saw.

Its argument: the database URL. It says "reading" after the first look.
"""

import json
import select
import sys

import psycopg


def main() -> None:
    seen: dict[str, int] = {}
    with psycopg.connect(sys.argv[1], autocommit=True) as connection:
        while True:
            rows = connection.execute(
                "SELECT workspace_id, employee_id, name, is_manager FROM projections.employee_directory ORDER BY 1, 2"
            ).fetchall()
            if not seen:
                print("reading", flush=True)
            state = json.dumps(rows)
            seen[state] = seen.get(state, 0) + 1
            if select.select([sys.stdin], [], [], 0)[0]:
                break
    print(json.dumps([json.loads(state) for state in seen]))


if __name__ == "__main__":
    main()
