"""What came of lessons: how long and how often they were watched, and what was sold. No figure names a student."""
