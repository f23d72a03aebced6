"""Every job that there is: its name, its queue, and how long it may take. What is not in here is never run."""

from typing import Literal

QueueName = Literal["urgent", "default", "bulk"]
QUEUES: tuple[QueueName, ...] = ("urgent", "default", "bulk")
JOB_SECONDS = 120
LONG_JOBS = {
    "lessonadmin.jobs.reconciling.reconcile_nightly": 4 * 3600,
    "lessonadmin.jobs.reconciling.walk_now": 4 * 3600,
    "lessonadmin.jobs.reconciling.mend_kind": 4 * 3600,
}
KEEP_FAILED_SECONDS = 7 * 86400

# job -> queue. A structure test proves that each of these names resolves to a function.
JOBS: dict[str, QueueName] = {
    "lessonadmin.jobs.videos.check_asset": "urgent",
    "lessonadmin.jobs.videos.check_assets": "urgent",
    "lessonadmin.jobs.videos.delete_asset": "default",
    "lessonadmin.jobs.videos.cancel_upload": "default",
    "lessonadmin.jobs.videos.carry_out_captions": "default",
    "lessonadmin.jobs.videos.fetch_transcript": "default",
    "lessonadmin.jobs.batches.run_batch": "bulk",
    "lessonadmin.jobs.batches.run_batch_item": "bulk",
    "lessonadmin.jobs.notices.send_mail": "default",
    "lessonadmin.jobs.notices.send_links": "urgent",
    "lessonadmin.jobs.notices.tell_students": "bulk",
    "lessonadmin.jobs.events.replay_event": "default",
    "lessonadmin.jobs.reconciling.reconcile_nightly": "bulk",
    "lessonadmin.jobs.reconciling.walk_now": "bulk",
    "lessonadmin.jobs.reconciling.mend_kind": "bulk",
    "lessonadmin.jobs.counting.count_some": "bulk",
}
