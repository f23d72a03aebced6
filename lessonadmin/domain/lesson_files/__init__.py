"""Files that students download with a lesson: what a lesson may have, who downloads it, and where the bytes are.

A file arrives in parts of a megabyte, so that no request is large and one that fails is sent again. The bytes are in PostgreSQL first;
where there is a file store the sweep moves them there, and asks it again as long as it does not answer.
"""
