"""The rules of Lessonadmin: what a lesson, a video and a person may do. One package a subject.

No module in here knows the web, the queue library, Flask-Admin or Mux's SDK. Functions change and flush inside the
transaction that their caller opened; those that talk to Mux take `actor=` and open their own short ones around the call.

Imports only go down (held by import-linter, `pyproject.toml`; packages on one line do not know each other):

  maintenance
  batches
  lessons | reconciliation | diagnosis | support | health | figures
  uploads
  thumbnails
  playback
  account_life | single_sign_on | preview_links | progress
  polling | webhooks | notifications | second_factor | lesson_files
  captions
  accounts | attention
  videos | mux_budget
  row_policies
  permissions
  audit | querying | heartbeats | hourly_statistics
  prices | backoff | buyers | school_time
  models
  errors
"""
