"""Whether messages can be sent."""

import smtplib

from batch_jobs.doctor.finding import Finding
from batch_jobs.mail.transport import SmtpServer, mail_folder
from batch_jobs.settings import Settings


def examine(settings: Settings) -> list[Finding]:
    """Connect to the mail server and log in; without one, tell where messages go."""
    smtp = settings.smtp
    if smtp is None:
        text = f"messages are written to {mail_folder(settings)}; BATCH_JOBS_SMTP_HOST names a server (docs/mail.md)"
        return [Finding("mail", "ok", text)]
    place = f"{smtp.host}:{smtp.port} ({smtp.security})"
    try:
        SmtpServer(smtp).check()
    except (OSError, smtplib.SMTPException) as error:
        remedy = "check BATCH_JOBS_SMTP_HOST, _PORT, _SECURITY, _USER and _PASSWORD (docs/mail.md), and the server"
        # An answer to a login may repeat it.
        said = "refuses user and password" if isinstance(error, smtplib.SMTPAuthenticationError) else str(error)
        return [Finding("mail", "problem", f"{place}: {said}", remedy)]
    return [Finding("mail", "ok", f"{place} lets us in")]
