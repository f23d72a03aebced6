"""A small school to look at: accounts, courses, and lessons in every state a video can be in.

For trying the product out. Videos are really uploaded, by the same functions as every upload, and only to a simulator:
with Mux itself configured the lessons stay without videos, since uploads there cost money.
"""
