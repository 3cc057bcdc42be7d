"""Django's PostgreSQL backend with a health check that costs no round trip."""

from __future__ import annotations

import select

from django.db.backends.postgresql.base import DatabaseWrapper as PostgresWrapper


class DatabaseWrapper(PostgresWrapper):
    """Asks the socket instead of the server whether an idle connection still lives, once a request."""

    def is_usable(self) -> bool:
        """Whether the connection can be used: nothing is waiting to be read on a healthy idle one.

        A server that ended the connection has left its farewell there; anything else that waits is settled by a query.
        """
        if self.connection is None or self.connection.closed:
            return False
        poll = select.poll()
        poll.register(self.connection.pgconn.socket, select.POLLIN)
        return super().is_usable() if poll.poll(0) else True
