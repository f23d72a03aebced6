"""The tables, one file a subject. States are held by CHECK constraints, so no writer can invent one."""

from lessonadmin.domain.models import in_trash
from lessonadmin.domain.models.accounts import (
    AccountLink,
    ApiToken,
    KnownBrowser,
    SignInFailure,
    User,
    UserSession,
)
from lessonadmin.domain.models.audit import AuditLog
from lessonadmin.domain.models.batches import Batch, BatchItem
from lessonadmin.domain.models.events import MuxCall, MuxEvent, WaitingEvent
from lessonadmin.domain.models.health import (
    Alarm,
    Counted,
    CountedDay,
    ErrorReference,
    Heartbeat,
    LessonView,
    MuxBudget,
    Rollup,
    SecurityCount,
    Throttle,
)
from lessonadmin.domain.models.lessons import (
    Course,
    CourseSection,
    EditingHold,
    Kind,
    Lesson,
    LessonFile,
    LessonFilePart,
    LessonProgress,
    Owner,
    PreviewLink,
    Purchase,
    StaffNote,
    Transcript,
)
from lessonadmin.domain.models.notifications import Announcement, Notification
from lessonadmin.domain.models.reconciliation import Difference, ReconcileRun
from lessonadmin.domain.models.saved_filters import SavedFilter
from lessonadmin.domain.models.search_words import SearchWord
from lessonadmin.domain.models.sign_in_methods import (
    AuthenticatorApp,
    Passkey,
    PasskeyChallenge,
    PendingSignIn,
    ProviderIdentity,
    RecoveryCode,
)
from lessonadmin.domain.models.videos import AssetDeletion, CaptionTrack, Tracking, UploadCancellation

__all__ = [
    "AccountLink",
    "Alarm",
    "Announcement",
    "ApiToken",
    "AssetDeletion",
    "AuditLog",
    "AuthenticatorApp",
    "Batch",
    "BatchItem",
    "CaptionTrack",
    "Counted",
    "CountedDay",
    "Course",
    "CourseSection",
    "Difference",
    "EditingHold",
    "ErrorReference",
    "Heartbeat",
    "Kind",
    "KnownBrowser",
    "Lesson",
    "LessonFile",
    "LessonFilePart",
    "LessonProgress",
    "LessonView",
    "MuxBudget",
    "MuxCall",
    "MuxEvent",
    "Notification",
    "Owner",
    "Passkey",
    "PasskeyChallenge",
    "PendingSignIn",
    "PreviewLink",
    "ProviderIdentity",
    "Purchase",
    "ReconcileRun",
    "RecoveryCode",
    "Rollup",
    "SavedFilter",
    "SearchWord",
    "SecurityCount",
    "SignInFailure",
    "StaffNote",
    "Throttle",
    "Tracking",
    "Transcript",
    "UploadCancellation",
    "User",
    "UserSession",
    "WaitingEvent",
    "in_trash",
]
