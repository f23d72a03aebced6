"""What support does about a job that failed for good: try it again, or forget it.

Each act leaves a row in the audit trail; one that Redis refuses leaves none. What the job should have done is never decided here.
"""

from lessonadmin.domain.audit import audit_log
from lessonadmin.redis_queue import inspection


def retry(job_id: str) -> None:
    inspection.retry(job_id)
    _record("retried", job_id)


def retry_all() -> None:
    inspection.retry_all()
    _record("retried", "all")


def forget(job_id: str) -> None:
    inspection.forget(job_id)
    _record("deleted", job_id)


def _record(what: str, job: str) -> None:
    audit_log.record_for(f"job.{what}", "job", None, job=job)
