"""A table of payments behind Django REST framework: DATABASE PORT.

Only the table and the routes are ours; paging, validation and errors are the framework's own, as it ships.
"""

import sys
from datetime import timedelta

import django
from django.conf import settings

DATABASE, PORT = sys.argv[1], int(sys.argv[2])

settings.configure(
    DEBUG=False,
    SECRET_KEY="not a secret: this server lives for one test",
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    TIME_ZONE="UTC",
    INSTALLED_APPS=["django.contrib.contenttypes", "rest_framework"],
    DATABASES={
        "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": DATABASE, "OPTIONS": {"timeout": 20}}
    },
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
from django.utils import timezone
from rest_framework import generics, pagination, serializers, throttling, views
from rest_framework.response import Response


class Payment(models.Model):
    reference = models.CharField(max_length=40)
    amount = models.IntegerField()
    # Not auto_now_add, so that a client can create rows with equal sort keys.
    created = models.DateTimeField()

    class Meta:
        app_label = "payments"


class PaymentSerializer(serializers.ModelSerializer):
    created = serializers.DateTimeField(default=timezone.now)

    class Meta:
        model = Payment
        fields = ["id", "reference", "amount", "created"]


class Cursor(pagination.CursorPagination):
    page_size = 5
    page_size_query_param = "page_size"
    max_page_size = 100


class ByCreated(Cursor):
    ordering = "-created"


class ById(Cursor):
    ordering = "-id"


class LimitOffset(pagination.LimitOffsetPagination):
    default_limit = 5
    max_limit = 100


class PageNumber(pagination.PageNumberPagination):
    page_size = 5
    page_size_query_param = "page_size"
    max_page_size = 100


def listing(paginator, *order):
    queryset = Payment.objects.order_by(*order)
    return generics.ListAPIView.as_view(
        queryset=queryset, serializer_class=PaymentSerializer, pagination_class=paginator
    )


class Create(generics.CreateAPIView):
    serializer_class = PaymentSerializer


class One(generics.RetrieveDestroyAPIView):
    queryset = Payment.objects.all()
    serializer_class = PaymentSerializer


class EightInFourSeconds(throttling.AnonRateThrottle):
    # The framework's own rates are per second, minute, hour and day.
    rate = "8/4s"

    def parse_rate(self, rate):
        return 8, 4


class Throttled(views.APIView):
    throttle_classes = [EightInFourSeconds]

    def get(self, request):
        return Response({"ok": True})


urlpatterns = [
    path("throttled", Throttled.as_view()),
    path("payments", Create.as_view()),
    path("payments/<int:pk>", One.as_view()),
    path("cursor/by-created", listing(ByCreated)),
    path("cursor/by-id", listing(ById)),
    path("offset/newest", listing(LimitOffset, "-id")),
    path("offset/oldest", listing(LimitOffset, "id")),
    path("offset/random", listing(LimitOffset, "?")),
    path("page/newest", listing(PageNumber, "-id")),
    path("page/oldest", listing(PageNumber, "id")),
]


def seed(rows):
    with connection.schema_editor() as editor:
        editor.create_model(Payment)
    start = timezone.now() - timedelta(hours=1)
    Payment.objects.bulk_create(
        Payment(reference=f"seed-{n}", amount=n, created=start + timedelta(seconds=n)) for n in range(rows)
    )


if __name__ == "__main__":
    import waitress

    seed(36)
    waitress.serve(get_wsgi_application(), host="127.0.0.1", port=PORT, threads=4)
