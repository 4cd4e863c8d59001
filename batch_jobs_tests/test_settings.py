"""What the environment says: each variable read, and what can not be used refused with its name."""

from pathlib import Path

import pytest

from batch_jobs.errors import BadInputError
from batch_jobs.settings import PROJECT_FOLDER, Announcing, Settings, Smtp, read_settings

MAIL = {"BATCH_JOBS_SMTP_HOST": "mail.example"}


def test_nothing_said() -> None:
    assert read_settings({}) == Settings(home=(PROJECT_FOLDER / ".batch_jobs").resolve())


def test_empty_is_as_nothing_said() -> None:
    names = [
        f"BATCH_JOBS_{name}" for name in ("HOME", "CHUNK_ROWS", "BASE_URL", "MAIL_FROM", "SMTP_HOST", "DATABASE_URL")
    ]
    assert read_settings(dict.fromkeys(names, "")) == read_settings({})


def test_everything_said(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("se cret\nanother line\n")
    (tmp_path / "url").write_text("https://chat.example:8443/hooks/se-cret?x=1\n")
    found = read_settings(
        {
            "BATCH_JOBS_HOME": str(tmp_path),
            "BATCH_JOBS_DATABASE_URL": "postgresql://anna:se%20cret@db/jobs",
            "BATCH_JOBS_POSTGRES_BIN": str(tmp_path),
            "BATCH_JOBS_POSTGRES_IDLE_SECONDS": "5",
            "BATCH_JOBS_PARTITION_DAYS_BACK": "0",
            "BATCH_JOBS_WORKER_LOST_AFTER": "9",
            "BATCH_JOBS_CHUNK_ROWS": "7",
            "BATCH_JOBS_CHUNKS_AT_ONCE": "3",
            "BATCH_JOBS_MAIL_FROM": "Time <no-reply@acme.example>",
            "BATCH_JOBS_BASE_URL": "https://time.acme.example/app/",
            "BATCH_JOBS_SMTP_HOST": "mail.example",
            "BATCH_JOBS_SMTP_SECURITY": "tls",
            "BATCH_JOBS_SMTP_USER": "jobs",
            "BATCH_JOBS_SMTP_PASSWORD_FILE": str(tmp_path / "password"),
            "BATCH_JOBS_SMTP_CA_FILE": str(tmp_path / "ca.pem"),
            "BATCH_JOBS_SMTP_TIMEOUT": "3",
            "BATCH_JOBS_SMTP_CONNECTIONS": "4",
            "BATCH_JOBS_SMTP_PER_SECOND": "20",
            "BATCH_JOBS_ANNOUNCE_WEBHOOK_URL_FILE": str(tmp_path / "url"),
            "BATCH_JOBS_ANNOUNCE_EMAIL": "ops@acme.example, hr@acme.example,ops@acme.example",
            "BATCH_JOBS_ANNOUNCE_ABOUT": "failed,overdue",
            "BATCH_JOBS_ANNOUNCE_AFTER_MINUTES": "0",
            "BATCH_JOBS_ANNOUNCE_REMINDER_HOURS": "48",
        }
    )
    assert found == Settings(
        home=tmp_path.resolve(),
        database_url="postgresql://anna:se%20cret@db/jobs",
        postgres_bin=tmp_path.resolve(),
        postgres_idle_seconds=5,
        partition_days_back=0,
        worker_lost_after=9,
        chunk_rows=7,
        chunks_at_once=3,
        mail_from="Time <no-reply@acme.example>",
        base_url="https://time.acme.example/app",
        smtp=Smtp(
            host="mail.example",
            port=465,
            security="tls",
            user="jobs",
            password="se cret",
            ca_file=tmp_path / "ca.pem",
            timeout=3,
            connections=4,
            per_second=20,
        ),
        announcing=Announcing(
            webhook_url="https://chat.example:8443/hooks/se-cret?x=1",
            emails=("ops@acme.example", "hr@acme.example"),
            about=("failed", "overdue"),
            after_minutes=0,
            reminder_hours=48,
        ),
    )
    assert "cret" not in repr(found)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("CHUNK_ROWS", "0", "1 or more"),
        ("CHUNK_ROWS", "ten", "1 or more"),
        ("CHUNK_ROWS", "-3", "1 or more"),
        ("CHUNK_ROWS", "٣", "1 or more"),
        ("CHUNK_ROWS", "9" * 5_000, "1 or more"),
        ("CHUNKS_AT_ONCE", "7", "1 to 6"),
        ("WORKER_LOST_AFTER", "1", "2 to 86400"),
        ("WORKER_LOST_AFTER", "86401", "2 to 86400"),
        ("PARTITION_DAYS_BACK", "3651", "0 to 3650"),
        ("BASE_URL", "ftp://x", "a URL such as"),
        ("BASE_URL", "https://tid.københavn.example", "a URL such as"),
        ("BASE_URL", "https://x?y=z", "a URL such as"),
        ("SMTP_PORT", "65536", "1 to 65535"),
        ("SMTP_PORT", "0", "1 to 65535"),
        ("SMTP_CONNECTIONS", "101", "1 to 100"),
        ("SMTP_SECURITY", "ssl", "starttls, tls, none"),
        ("SMTP_USER", "jobs", "belong together"),
        ("SMTP_PASSWORD", "x", "belong together"),
        ("SMTP_PASSWORD_FILE", "/nowhere/at/all", "can not be read"),
        ("ANNOUNCE_WEBHOOK_URL_FILE", "/nowhere/at/all", "can not be read"),
        ("ANNOUNCE_ABOUT", "failed,stopped", "failed, warning, overdue"),
        ("ANNOUNCE_AFTER_MINUTES", "1441", "0 to 1440"),
        ("ANNOUNCE_REMINDER_HOURS", "-1", "0 to 8760"),
    ],
)
def test_what_can_not_be_used_is_named(name: str, value: str, expected: str) -> None:
    with pytest.raises(BadInputError, match=expected) as refused:
        read_settings({**MAIL, f"BATCH_JOBS_{name}": value})
    assert f"BATCH_JOBS_{name}" in str(refused.value)


def test_a_database_url_is_never_repeated() -> None:
    with pytest.raises(BadInputError, match="BATCH_JOBS_DATABASE_URL") as refused:
        read_settings({"BATCH_JOBS_DATABASE_URL": "mysql://anna:secret-81@db/jobs"})
    assert "secret-81" not in str(refused.value)


@pytest.mark.parametrize(
    "value",
    [
        "ftp://chat/secret-81",
        "chat/secret-81",
        "https://anna:secret-81@chat/x",
        "https://chat/secret-81 x",
        "https://chat/secret-81\r\nX-Y: z",
        "https://chät/secret-81",
        "https://chat:port/secret-81",
        "https://chat:65536/secret-81",
    ],
)
def test_a_webhook_is_never_repeated(value: str) -> None:
    with pytest.raises(BadInputError, match="BATCH_JOBS_ANNOUNCE_WEBHOOK_URL") as refused:
        read_settings({"BATCH_JOBS_ANNOUNCE_WEBHOOK_URL": value})
    assert "secret-81" not in str(refused.value)
