"""The command line: the front door for people and scripts. Each file a group of commands that parses, calls, prints."""

import sys
from io import TextIOWrapper


def main() -> None:
    """Run the command that the arguments name, and end the process with its exit code (domain 8)."""
    from batch_jobs.cli.application import run_command
    from batch_jobs.cli.failures import exit_code

    if isinstance(sys.stdout, TextIOWrapper):
        # As Python has it for stderr: the name of a file may be no text, and a terminal may lack a letter.
        sys.stdout.reconfigure(errors="backslashreplace")
    sys.exit(exit_code(lambda: run_command(sys.argv[1:] or ["--help"])))
