"""The web server's worker: gunicorn's parser and processes, with connections that hold no thread while they wait.

`worker.Worker` is named in the Procfile. One thread of each process (the loop) reads requests and writes answers on all
connections; the other threads compute answers to requests that have come whole. Only this package knows gunicorn's classes.
"""
