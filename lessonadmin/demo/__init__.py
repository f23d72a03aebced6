"""A small school to look at: accounts, courses, and lessons in every state a video can be in.

For trying the product out. Videos are really uploaded, through the same rooms as everybody's, and only to a simulator:
with Mux itself configured the lessons stay without videos, since uploads there cost money.
"""
