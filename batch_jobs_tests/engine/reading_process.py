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
    with psycopg.connect(url, autocommit=True) as connection:
        while True:
            state = json.dumps(connection.execute(query.encode()).fetchall())
            if not seen:
                print("reading", flush=True)
            if state not in seen[-1:]:
                seen.append(state)
            if select.select([sys.stdin], [], [], 0)[0]:
                break
    print(json.dumps([json.loads(state) for state in seen]))


if __name__ == "__main__":
    main()
