"""The system user that the server runs as, and what that user must be able to reach."""

import os
import pwd
import stat
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from batch_jobs.errors import UnavailableError

SERVER_USER = "postgres"

# Told what is being done, for people who wait.
Tell = Callable[[str], None]


class Credentials(TypedDict, total=False):
    """The arguments of `subprocess.run` that choose a system user."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class Account:
    """A system user.

    Attributes:
        uid: its number.
        gid: the number of its first group.
        switched: whether this is another user than the one who asks, which only root can choose.
    """

    uid: int
    gid: int
    switched: bool

    @property
    def credentials(self) -> Credentials:
        """What makes `subprocess` start a program as this user."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.switched else {}

    def own(self, path: Path) -> None:
        """Make the user the owner of a file or folder."""
        if self.switched:
            os.chown(path, self.uid, self.gid)

    def own_all(self, folder: Path) -> None:
        """Make the user the owner of a folder with all that is in it, such as a copy that root made."""
        if self.switched and folder.stat().st_uid != self.uid:
            for parent, folders, files in os.walk(folder, topdown=False):
                for name in folders + files:
                    os.lchown(os.path.join(parent, name), self.uid, self.gid)
            # Last, since it tells whether all is done.
            os.chown(folder, self.uid, self.gid)

    def reach(self, path: Path, tell: Tell) -> None:
        """Let the user pass through all folders above a path, without letting it list them."""
        if not self.switched:
            return
        for folder in path.parents:
            mode = folder.stat().st_mode
            if not mode & stat.S_IXOTH:
                tell(f"letting the user that runs PostgreSQL pass through {folder} (chmod o+x)")
                folder.chmod(stat.S_IMODE(mode) | stat.S_IXOTH)


def server_account(home: Path) -> Account:
    """Choose the user for the server of a home.

    PostgreSQL refuses to run as root. For root it runs as the owner of the home, so that the owner can use it
    afterwards too; in a home of root, or of a user who has no name here (a folder from outside a container), as the
    user `postgres`, made when missing.

    Raises:
        UnavailableError: the user has no name, or could not be made.
    """
    uid = os.geteuid()
    if uid != 0:
        if not _has_name(uid):
            raise UnavailableError(
                f"user id {uid} has no entry in /etc/passwd, without which PostgreSQL does not start; "
                "add one, or name a database of your own in BATCH_JOBS_DATABASE_URL"
            )
        return Account(uid, os.getegid(), switched=False)
    owner = home.stat()
    if owner.st_uid != 0 and _has_name(owner.st_uid):
        return Account(owner.st_uid, owner.st_gid, switched=True)
    return _made_account()


def _has_name(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def _made_account() -> Account:
    try:
        entry = pwd.getpwnam(SERVER_USER)
    except KeyError:
        made = subprocess.run(
            ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SERVER_USER],
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode != 0:
            raise UnavailableError(
                f'PostgreSQL does not run as root, and making the user "{SERVER_USER}" for it failed: '
                f"{made.stderr.strip()}; make that user, or run batch-jobs as another one"
            ) from None
        entry = pwd.getpwnam(SERVER_USER)
    return Account(entry.pw_uid, entry.pw_gid, switched=True)
