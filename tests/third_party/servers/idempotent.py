"""django-idempotency-key in front of a table of payments: DATABASE PORT.

The middleware is mounted as its documentation says, with its defaults. Creating a payment takes a moment, as it does
where money moves; what happens to keys is the middleware's own.
"""

import sys
import time

import django
from django.conf import settings

DATABASE, PORT = sys.argv[1], int(sys.argv[2])
MOMENT = 0.15

settings.configure(
    DEBUG=False,
    SECRET_KEY="not a secret: this server lives for one test",
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    INSTALLED_APPS=["django.contrib.contenttypes", "rest_framework"],
    MIDDLEWARE=["idempotency_key.middleware.IdempotencyKeyMiddleware"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": DATABASE, "OPTIONS": {"timeout": 20}}},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    REST_FRAMEWORK={
        "DEFAULT_AUTHENTICATION_CLASSES": [],
        "DEFAULT_PERMISSION_CLASSES": [],
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
        "UNAUTHENTICATED_USER": None,
    },
)
django.setup()

from django.core.wsgi import get_wsgi_application
from django.db import connection, models
from django.urls import path
from rest_framework import generics, serializers
from waitress import serve


class Payment(models.Model):
    reference = models.CharField(max_length=64)
    amount = models.CharField(max_length=20)

    class Meta:
        app_label = "payments"


class PaymentSerializer(serializers.ModelSerializer):
    class Meta:
        model = Payment
        fields = ["id", "reference", "amount"]


class Payments(generics.ListCreateAPIView):
    serializer_class = PaymentSerializer

    def get_queryset(self):
        return Payment.objects.filter(reference=self.request.query_params.get("reference", "")).order_by("id")

    def perform_create(self, serializer):
        time.sleep(MOMENT)
        serializer.save()


urlpatterns = [path("payments", Payments.as_view())]

with connection.schema_editor() as editor:
    editor.create_model(Payment)
serve(get_wsgi_application(), host="127.0.0.1", port=PORT, threads=16)
