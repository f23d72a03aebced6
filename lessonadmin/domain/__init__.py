"""The rules of Lessonadmin: what a lesson, a video and a person may do, and who finds out.

No room in here knows the web, the queue library, Flask-Admin or Mux's SDK. Functions change and flush inside the
transaction that their caller opened.
"""
