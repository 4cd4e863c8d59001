"""A process that asks the same without pause until it is told to stop, then prints what it saw, in order.

Its arguments: the database URL and the query. It says "reading" after the first look. A state that stays is told once.
"""

import json
import select
import sys

import psycopg


def main() -> None:
    url, query = sys.argv[1:]
    seen: list[str] = []
    is_told = False
    with psycopg.connect(url, autocommit=True) as connection:
        # Once more after it is told: it may have looked a moment before the last change.
        while not is_told:
            is_told = bool(select.select([sys.stdin], [], [], 0)[0])
            state = json.dumps(connection.execute(query.encode()).fetchall())
            if not seen:
                print("reading", flush=True)
            if state not in seen[-1:]:
                seen.append(state)
    print(json.dumps([json.loads(state) for state in seen]))


if __name__ == "__main__":
    main()
