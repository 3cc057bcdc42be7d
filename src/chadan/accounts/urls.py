"""Addresses of the home page, the profile and the staff; signing in is allauth's (/accounts/)."""

from __future__ import annotations

from django.urls import path

from chadan.accounts import views

urlpatterns = [
    path("", views.home, name="home"),
    path("switch", views.switch, name="switch"),
    path("account", views.profile, name="account"),
    path("m/staff", views.staff_list, name="staff"),
    path("m/staff/<int:membership_id>", views.staff_change, name="staff-change"),
]
