"""Whether messages can be sent."""

import smtplib

from batch_jobs.doctor.finding import Finding
from batch_jobs.mail.addresses import UnusableAddressError, read_sender
from batch_jobs.mail.transport import SmtpServer, mail_folder, said
from batch_jobs.settings import Settings


def examine(settings: Settings) -> list[Finding]:
    """Connect to the mail server and log in; without one, tell where messages go."""
    try:
        read_sender(settings.mail_from)
    except UnusableAddressError as error:
        return [Finding("mail", "problem", f"BATCH_JOBS_MAIL_FROM: {error}", "no message is sent until then")]
    smtp = settings.smtp
    if smtp is None:
        text = f"messages are written to {mail_folder(settings)}; BATCH_JOBS_SMTP_HOST names a server (docs/mail.md)"
        return [Finding("mail", "ok", text)]
    place = f"{smtp.host}:{smtp.port} ({smtp.security})"
    try:
        SmtpServer(smtp).check()
    except (OSError, smtplib.SMTPException) as error:
        remedy = "check BATCH_JOBS_SMTP_HOST, _PORT, _SECURITY, _USER and _PASSWORD (docs/mail.md), and the server"
        return [Finding("mail", "problem", f"{place}: {said(error)}", remedy)]
    return [Finding("mail", "ok", f"{place} lets us in")]
