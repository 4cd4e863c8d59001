"""The embedded server's places in the home: data, logs, locks, and the folder of its socket."""

import contextlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from batch_jobs.errors import UnavailableError
from batch_jobs.store.embedded.account import Account, Tell

SOCKET_NAME = ".s.PGSQL.5432"
# The system's own limit is 104 bytes on macOS and 108 on Linux.
SOCKET_PATH_BYTES = 100


@dataclass(frozen=True)
class Folders:
    """The places of one home.

    Attributes:
        home: the folder of all state.
    """

    home: Path

    @property
    def data(self) -> Path:
        """PostgreSQL's data folder."""
        return self.home / "postgres"

    @property
    def log(self) -> Path:
        """The server's log."""
        return self.home / "logs" / "postgres.log"

    @property
    def keeper_log(self) -> Path:
        """The keeper's log."""
        return self.home / "logs" / "keeper.log"

    @property
    def run(self) -> Path:
        """What matters only while something runs."""
        return self.home / "run"

    @property
    def users_lock(self) -> Path:
        """Held shared by each process that uses the server."""
        return self.run / "users.lock"

    @property
    def change_lock(self) -> Path:
        """Held by the one who starts or stops the server."""
        return self.run / "change.lock"

    @property
    def server_lock(self) -> Path:
        """Held by the processes of the server."""
        return self.run / "server.lock"

    @property
    def keeper_lock(self) -> Path:
        """Held by the keeper."""
        return self.run / "keeper.lock"

    @property
    def socket(self) -> Path:
        """The folder of the server's socket: in the home, or where that path is too long, in the temp folder."""
        inside = self.run / "socket"
        if _is_usable(inside):
            return inside
        name = self._socket_folder_name()
        recorded = self._recorded_socket()
        # A record of another name came along with a copy of another home.
        if recorded is not None and recorded.name == name:
            return recorded
        import tempfile

        return Path(tempfile.gettempdir()) / name

    @property
    def _socket_record(self) -> Path:
        return self.run / "socket_folder"

    def _recorded_socket(self) -> Path | None:
        try:
            return Path(self._socket_record.read_text())
        except FileNotFoundError:
            return None

    def _socket_folder_name(self) -> str:
        import hashlib

        # By the folder's identity instead of its path: a moved home keeps its socket, a copied one gets another.
        try:
            home = self.home.stat()
        except FileNotFoundError:
            return "batch-jobs-none"
        identity = f"{home.st_dev}:{home.st_ino}:{home.st_uid}"
        return f"batch-jobs-{hashlib.sha256(identity.encode()).hexdigest()[:16]}"

    def make(self) -> None:
        """Make the home and the folders, locks and logs in it.

        Raises:
            UnavailableError: that is not possible; the text names the folder.
        """
        try:
            # Under root, the user that runs the server has to pass through.
            mode = 0o711 if os.geteuid() == 0 else 0o700
            for folder in (self.home, self.run, self.log.parent):
                folder.mkdir(mode, parents=True, exist_ok=True)
            locks = (self.users_lock, self.change_lock, self.server_lock, self.keeper_lock)
            for path in (*locks, self.log, self.keeper_log):
                os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            self._give_to_owner(self.run, self.log.parent, *locks, self.log, self.keeper_log)
        except (FileExistsError, NotADirectoryError) as error:
            wrong = next((path for path in (self.home, *self.home.parents) if path.is_file()), error.filename)
            raise UnavailableError(
                f'"{wrong}" is a file; expected a folder; set BATCH_JOBS_HOME to a folder that may be made'
            ) from None
        except OSError as error:
            raise UnavailableError(
                f'the home folder "{self.home}" can not be used: {error.filename}: {error.strerror}; '
                "give this user the right to write there, or set BATCH_JOBS_HOME to another folder"
            ) from None

    def _give_to_owner(self, *paths: Path) -> None:
        # What root makes in another user's home must stay usable for that user.
        if os.geteuid() == 0 and (owner := self.home.stat()).st_uid != 0:
            for path in paths:
                os.chown(path, owner.st_uid, owner.st_gid)

    def make_socket(self, account: Account, tell: Tell) -> None:
        """Make the socket's folder, private to the user that runs the server, and empty it.

        Raises:
            UnavailableError: the folder in the temp folder belongs to somebody else.
        """
        folder = self.socket
        recorded = self._recorded_socket()
        if recorded is not None and recorded != folder:
            # Of the path that the home had before.
            with contextlib.suppress(OSError):
                recorded.rmdir()
            self._socket_record.unlink()
        if folder.parent == self.run:
            folder.mkdir(mode=0o700, exist_ok=True)
            account.own(folder)
        else:
            self._make_in_temp(folder, account)
        folder.chmod(0o700)
        account.reach(folder, tell)
        # Left behind by a crash; a lock file in it may name a process id that something else has by now.
        for leftover in folder.iterdir():
            leftover.unlink()

    def _make_in_temp(self, folder: Path, account: Account) -> None:
        if not _is_usable(folder):
            raise UnavailableError(
                f'both "{self.home}" and the temp folder "{folder.parent}" have paths too long for a socket '
                f"({SOCKET_PATH_BYTES} bytes); set BATCH_JOBS_HOME or TMPDIR to a shorter one"
            )
        self._socket_record.write_text(str(folder))
        self._give_to_owner(self._socket_record)
        try:
            folder.mkdir(mode=0o700)
            account.own(folder)
        except FileExistsError:
            # Everybody may write in the temp folder.
            found = folder.lstat()
            if not stat.S_ISDIR(found.st_mode) or found.st_uid != account.uid:
                raise UnavailableError(
                    f'"{folder}" is not a folder of user id {account.uid}, so that others could read what goes '
                    "through a socket in it; remove it"
                ) from None


def _is_usable(folder: Path) -> bool:
    # libpq takes a comma for the end of a host name.
    return len(os.fsencode(folder / SOCKET_NAME)) <= SOCKET_PATH_BYTES and "," not in str(folder)
