"""A TCP relay on loopback that misbehaves on demand."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time


class Proxy:
    """Relays to one port until told otherwise.

    Attributes:
        mode: relay, stall (answers are held back), drip (one octet a time), garbage (answers are
            replaced), reset (the connection is torn as soon as a request came), swallow
            (accepts, reads nothing).
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self.mode = "relay"
        self.accepted = 0
        self.requests = 0
        self._held: list[socket.socket] = []
        self._stop = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.drop()
        self._thread.join(5)

    def drop(self) -> None:
        """End every connection there is, as a firewall or a restart does."""
        for sock in self._held:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        self._held.clear()

    def _accept(self) -> None:
        while not self._stop.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.accepted += 1
            self._held.append(client)
            if self.mode == "swallow":
                continue
            server = socket.create_connection(("127.0.0.1", self._target))
            self._held.append(server)
            threading.Thread(target=self._up, args=(client, server), daemon=True).start()
            threading.Thread(target=self._down, args=(server, client), daemon=True).start()

    def _up(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while octets := client.recv(65536):
                self.requests += 1
                if self.mode == "reset":
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    client.close()
                    break
                server.sendall(octets)
        with contextlib.suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)

    def _down(self, server: socket.socket, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while octets := server.recv(65536):
                self._pass_on(octets, client)
        with contextlib.suppress(OSError):
            client.shutdown(socket.SHUT_RDWR)

    def _pass_on(self, octets: bytes, client: socket.socket) -> None:
        while self.mode == "stall" and not self._stop.is_set():
            self._stop.wait(0.02)
        if self.mode == "garbage":
            client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        elif self.mode == "drip":
            for octet in octets:
                client.sendall(bytes((octet,)))
                time.sleep(0.3)
        else:
            client.sendall(octets)
