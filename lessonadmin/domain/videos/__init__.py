"""The video of a lesson or course: its states, the one writer of them, publication, removal, and how it is shown."""
