"""Batches, and their frozen orders from chadan/batches/sql."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from chadan.platform.sql_files import run_sql_file

SQL = Path(__file__).resolve().parents[1] / "sql"


def create(_apps: Any, editor: Any) -> None:
    """Runs schema.sql."""
    run_sql_file(editor, SQL / "schema.sql")


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("orders", "0002_live"),
    ]

    operations = [
        migrations.CreateModel(
            name="Batch",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("actor_key", models.CharField(max_length=32)),
                ("role", models.CharField(max_length=16)),
                ("merchant_id", models.BigIntegerField()),
                ("home", models.SmallIntegerField()),
                ("action", models.CharField(max_length=16)),
                ("params", models.JSONField(default=dict)),
                ("query", models.JSONField(blank=True, null=True)),
                ("view", models.CharField(blank=True, max_length=16)),
                ("upto", models.BigIntegerField()),
                ("language", models.CharField(max_length=16)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("preparing", "Being looked up"),
                            ("ready", "To be confirmed"),
                            ("running", "Running"),
                            ("done", "Done"),
                            ("failed", "Stopped by an error"),
                            ("cancelled", "Cancelled"),
                            ("undoing", "Being undone"),
                            ("undone", "Undone"),
                        ],
                        default="preparing",
                        max_length=16,
                    ),
                ),
                ("checkpoint", models.JSONField(default=dict)),
                ("undoing", models.BooleanField(default=False)),
                ("total", models.BigIntegerField(default=0)),
                ("able", models.BigIntegerField(default=0)),
                ("amount", models.BigIntegerField(default=0)),
                ("able_amount", models.BigIntegerField(default=0)),
                ("done", models.BigIntegerField(default=0)),
                ("skipped", models.BigIntegerField(default=0)),
                ("failed", models.BigIntegerField(default=0)),
                ("undone", models.BigIntegerField(default=0)),
                ("kept", models.BigIntegerField(default=0)),
                ("error", models.TextField(blank=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("confirmed_at", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                (
                    "hand",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="batches", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "db_table": "batches",
                "indexes": [
                    models.Index(fields=["user", "-created_at"], name="batches_user"),
                    models.Index(fields=["merchant_id", "-created_at"], name="batches_merchant"),
                    models.Index(fields=["state", "created_at"], name="batches_state"),
                ],
            },
        ),
        migrations.RunPython(create),
    ]
