"""localstripe, a server that stands in for Stripe's: PORT.

The software has no option for the address and would listen on every interface, so this puts it on loopback. A few
customers are there from the start.
"""

import sys

from aiohttp import web
from localstripe.resources import Customer
from localstripe.server import app

for number in range(12):
    Customer(email=f"seed-{number}@example.com")
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]))
