"""Flask-Limiter, with every strategy of the library behind it: PORT.

"fixed-window ... allows bursts ... at the boundary", "moving-window ... adds each request to a log", "sliding-window-counter
approximates": the strategies as its documentation names them. Header fields are on, as it ships them.
"""

import sys

from flask import Flask, jsonify, request
from flask_limiter import Limiter
from waitress import serve

QUOTA = "8 per 2 second"


def application(strategy):
    app = Flask(strategy)
    limiter = Limiter(
        lambda: request.headers.get("X-Client", "anonymous"),
        app=app,
        strategy=strategy,
        headers_enabled=True,
        storage_uri="memory://",
    )

    @app.get("/")
    @limiter.limit(QUOTA)
    def limited():
        return jsonify(ok=True)

    @app.errorhandler(429)
    def refused(error):
        return jsonify(error={"code": "rate_limited", "message": error.description}), 429

    return app


APPLICATIONS = {f"/{strategy}": application(strategy) for strategy in ("fixed-window", "moving-window", "sliding-window-counter")}


def dispatch(environ, start_response):
    app = APPLICATIONS.get(environ["PATH_INFO"])
    if app is None:
        start_response("404 Not Found", [("Content-Type", "application/json")])
        return [b'{"error":{"code":"not_found"}}']
    environ["PATH_INFO"] = "/"
    return app(environ, start_response)


serve(dispatch, host="127.0.0.1", port=int(sys.argv[1]), threads=8)
