"""The WSGI entry point: nothing but the application object that web servers and `flask --app app` look for."""

from lessonadmin import create_app

app = create_app()
