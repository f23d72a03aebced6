"""The WSGI entry point: nothing but the application object that web servers and `flask --app app` look for."""

import sys

from lessonadmin import create_app
from lessonadmin.config import SettingsError

try:
    app = create_app()
except SettingsError as error:
    sys.exit(str(error))  # the one message that names everything, and no traceback around it
