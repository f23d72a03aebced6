"""The rules of Lessonadmin: what a lesson, a video and a person may do, and who finds out.

No room in here knows the web, the queue library, Flask-Admin or Mux's SDK. Functions change and flush inside the
transaction that their caller opened; those that talk to Mux take `actor=` and open their own short ones around the call.

Where is what (a test holds this list complete):

  A video's way       video_state videos desks publication uploads matching inbox reading news looking asking
                      answers surveying checks
  Taking away         removal deletions leases cancelling restoring adopting
  Repair              sweeping budget disbelief environment intake repair old_videos finding reconcile walking drift
                      mending repolicing drift_report
  Lessons, courses    lessons courses course_lists course_teacher catalog desk_list listing searching standing estimates
                      prices importing import_file
  Who may what        access playback pictures people accounts passwords account_notices sign_in sessions tokens
                      throttles handover withdrawal holding demo_accounts
  Who is told         announcements journal wording notices mailing letters postman
  Bulk actions        actions outcomes previews lesson_actions rechecking clearing event_actions deletion_retry undoing
                      batches batch_beginning batch_control batch_items batch_lists batch_runs batch_turns
                      reading_ahead
  Support asks why    diagnosis findings findings_on_record findings_at_mux case_file comparing timeline story_words
                      event_lookup lookup notes
  The machine room    doctor examination doctor_database doctor_house doctor_mux doctor_webhooks vital_signs
                      alarms rejections security_counts figures gauges operations usage retention
  Shared by all       errors calls backoff conditions ceilings models
"""
