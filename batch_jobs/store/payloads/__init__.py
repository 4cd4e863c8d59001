"""What each event says, as one strict model a type and version; names and meaning are those of the domain contract.

A payload is refused for what can never be right: an unknown field, a wrong type, a day that the calendar does not have,
a value out of its range, text that the database can not hold. What may still become right, or is for a job to judge, is
taken: references to entities that are not there yet, days of another century, an end before its start. The job that
meets such a row reports it and goes on, where a refused line would hold up a whole file.

The themes (`people`, `time_off`, `statements`, …) hold the models, `catalog` finds them by type and version.
"""
