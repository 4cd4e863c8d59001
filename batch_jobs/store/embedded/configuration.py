"""How the embedded PostgreSQL is configured, and why."""

import os
from collections.abc import Mapping
from pathlib import Path

from batch_jobs.store.embedded.account import Account

FILE_NAME = "batch_jobs.conf"

# Read by people who open the file, so the reasons are in it.
TEXT = """\
# Written anew at each start. Changes of your own: ALTER SYSTEM SET ... (they win), or a database of your own.

# Only this machine and only this socket, in a folder that nobody else may enter.
listen_addresses = ''
port = 5432
unix_socket_directories = {socket}
unix_socket_permissions = 0700
cluster_name = 'batch_jobs'
# The web server, the scheduler, and a few workers with a pool each.
max_connections = 150
# A dead worker's statement must not hold its locks until it is through.
client_connection_check_interval = 5s

# A machine with 2 cores and 4 GB that has other work too.
shared_buffers = 256MB
effective_cache_size = 1GB
work_mem = 32MB
maintenance_work_mem = 256MB
huge_pages = try
# Workers already use all cores; and what one statement would share between cores does not fit the 64 MB of shared
# memory that a container has.
max_parallel_workers_per_gather = 0
# One lock for each partition that a statement touches.
max_locks_per_transaction = 256

# Loads write several times the data of an hour in a minute: fewer, larger checkpoints.
max_wal_size = 2GB
checkpoint_timeout = 15min
# Measured with pglz, the one method that all builds have: 70 MB instead of 171 MB of log, but 1.5 s instead of 0.9 s.
wal_compression = off
# No replicas: a table that is made and loaded in one transaction needs no log at all (measured with a million rows:
# 0.7 s instead of 1.3 s, and 149 MB less to write).
wal_level = minimal
max_wal_senders = 0
max_logical_replication_workers = 0
synchronous_commit = on

# SSDs. And statements are many and short: compiling them costs more than it gains.
random_page_cost = 1.1
jit = off

# A fifth of a table of millions of rows, the default, is too much to wait for.
autovacuum_vacuum_scale_factor = 0.05
autovacuum_vacuum_insert_scale_factor = 0.05
autovacuum_analyze_scale_factor = 0.02
autovacuum_naptime = 30s

timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] %q%u@%d %a '
log_checkpoints = off
log_lock_waits = on
# Slow statements, without the values in them: those are about people and pay.
log_min_duration_statement = 5s
log_parameter_max_length = 0
log_parameter_max_length_on_error = 0
"""


def write_configuration(data: Path, socket: Path, extra: Mapping[str, str], account: Account) -> None:
    """Write the file that `postgresql.conf` includes last.

    Args:
        data: the data folder.
        socket: the folder of the socket.
        extra: further settings, by name; they win.
        account: the system user that runs the server.
    """
    text = TEXT.format(socket=_quoted(f'"{socket}"'))
    text += "".join(f"{name} = {_quoted(value)}\n" for name, value in extra.items())
    (data / FILE_NAME).write_bytes(os.fsencode(text))
    account.own(data / FILE_NAME)


def _quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"
