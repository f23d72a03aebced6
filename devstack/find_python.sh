# Read by the scripts in bin/: sets PYTHON to a Python 3.11 or newer, or says in one sentence that there is none.
# Only what the shell itself can do: nothing else may be on the PATH.
PYTHON=
found=
for candidate in python3 python3.13 python3.12 python3.11 python3.14 python3.15 python; do
    command -v "$candidate" >/dev/null 2>&1 || continue
    version=$("$candidate" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || continue
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        PYTHON=$candidate
        break
    fi
    found="$found $candidate is Python $version;"
done
if [ -z "$PYTHON" ]; then
    echo "Lessonadmin needs Python 3.11 or newer, and none is on the PATH:${found:- there is no Python at all;} install one (on Debian: apt-get install python3) and start again." >&2
    exit 1
fi
unset PYTHONHOME PYTHONPATH PYTHONSAFEPATH
