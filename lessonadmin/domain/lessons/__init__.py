"""Lessons and courses as instructors and students handle them: write, change, publish, buy, find, delete, import."""
