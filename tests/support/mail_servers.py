"""A real operator for the tests: Postfix takes mails over TLS with a client certificate, Dovecot serves the mailboxes.

All on loopback, on free ports, below one temporary folder; nothing of the system's configuration is read or changed.
Postfix writes its own delivery notices, which is the point. Root is needed: Postfix's master drops privileges itself.
"""

import os
import pwd
import shutil
import signal
import smtplib
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from labosim.pki import Pki
from tests.support.ports import free_ports
from tests.support.postgres import ServerMissing

START_SECONDS = 20.0
PARTNER = "app@partenaire.mssante.fr"
NORTH, NORTH_PEOPLE, NORTH_SITE = (f"{name}@labo-demo.mssante.fr" for name in ("nord.app", "nord", "nord.lille"))
DOMAINS = ("partenaire.mssante.fr", "labo-demo.mssante.fr", "medecin-demo.mssante.fr", "patient.mssante.fr")
APPLICATION = "labo.app@labo-demo.mssante.fr"
ORGANISATION = "labo.retours@labo-demo.mssante.fr"
DOCTOR = "adam.hoda@medecin-demo.mssante.fr"
PATIENT = "285039999900196@patient.mssante.fr"
_NAMED = (APPLICATION, ORGANISATION, DOCTOR, PATIENT, PARTNER, NORTH, NORTH_PEOPLE, NORTH_SITE)
MAILBOXES = (*_NAMED, *(f"medecin{n}@medecin-demo.mssante.fr" for n in range(20)))
SMTPD, DOVECOT = "/usr/sbin/postfix", "/usr/sbin/dovecot"

_MAIN_CF = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = {folder}/mail.log
maillog_file_prefixes = {folder}
myhostname = operateur.essai
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
disable_dns_lookups = yes
smtpd_peername_lookup = no
alias_maps =
alias_database =
local_recipient_maps =
biff = no
virtual_mailbox_domains = {domains}
virtual_mailbox_base = {folder}/boxes
virtual_mailbox_maps = texthash:{folder}/mailboxes
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_minimum_uid = 1
virtual_mailbox_limit = 0
mailbox_size_limit = 0
message_size_limit = 26214400
transport_maps = texthash:{folder}/transport
default_transport = error:5.7.1 outside
relay_transport = error:5.7.1 outside
smtpd_reject_unlisted_recipient = no
smtpd_recipient_restrictions = check_recipient_access texthash:{folder}/refused, reject_unauth_destination
smtpd_relay_restrictions = reject_unauth_destination
smtpd_tls_cert_file = {certificate}
smtpd_tls_key_file = {key}
smtpd_tls_CAfile = {authority}
smtpd_tls_session_cache_database =
smtpd_client_connection_rate_limit = 0
smtpd_client_connection_count_limit = 0
in_flow_delay = 0
minimal_backoff_time = 2s
maximal_backoff_time = 4s
queue_run_delay = 2s
maximal_queue_lifetime = 10s
bounce_queue_lifetime = 10s
"""

_MASTER_CF = """
127.0.0.1:{smtp} inet n - n - - smtpd
  -o smtpd_tls_security_level=encrypt
  -o smtpd_tls_ask_ccert=yes
  -o smtpd_tls_req_ccert=yes
127.0.0.1:{mx} inet n - n - - smtpd
postlog unix-dgram n - n - 1 postlogd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
local unix - n n - - local
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
"""

_DOVECOT = """
base_dir = {folder}/dovecot
state_dir = {folder}/dovecot-state
log_path = {folder}/dovecot.log
protocols = imap
listen = 127.0.0.1
ssl = required
ssl_cert = <{certificate}
ssl_key = <{key}
ssl_ca = <{authority}
ssl_require_crl = no
ssl_verify_client_cert = yes
auth_mechanisms = external plain
auth_ssl_username_from_cert = yes
ssl_cert_username_field = commonName
first_valid_uid = 1
mail_location = maildir:{folder}/boxes/%d/%n
passdb {{
  driver = static
  mechanisms = external
  args = nopassword=yes
}}
passdb {{
  driver = static
  mechanisms = plain
  args = password=essai
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/boxes/%d/%n
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
"""


class MailServers:
    """One operator. `stop` and `start` again keep the queue and the mailboxes."""

    def __init__(self, pki: Pki) -> None:
        self.smtp_port, self.mx_port, self.imap_port = free_ports(3)
        self.folder = Path(tempfile.mkdtemp(prefix="labohub-mail-"))
        self._pki = pki
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """Return when both servers answer. Raises: ServerMissing."""
        if not Path(SMTPD).exists() or not Path(DOVECOT).exists():
            raise ServerMissing("postfix and dovecot-imapd are needed: deploy/test-servers/install.sh")
        if not (self.folder / "etc").exists():
            self._configure()
        log = self.folder / "start.log"
        with log.open("ab") as out:
            for command in (
                [SMTPD, "-c", str(self.folder / "etc"), "start-fg"],
                [DOVECOT, "-F", "-c", str(self.folder / "etc" / "dovecot.conf")],
            ):
                self._processes.append(
                    subprocess.Popen(
                        ["setpriv", "--pdeathsig", "TERM", *command],
                        stdin=subprocess.DEVNULL,
                        stdout=out,
                        stderr=out,
                        start_new_session=True,
                    )
                )
        for port in (self.smtp_port, self.mx_port, self.imap_port):
            self._wait(port)

    def stop(self) -> None:
        """Stop both servers; what they keep stays."""
        for process in self._processes:
            process.send_signal(signal.SIGTERM)
        for process in self._processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        self._processes.clear()

    def remove(self) -> None:
        """Stop, and forget all."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def mails(self, address: str) -> list[bytes]:
        """Return what lies in a mailbox, oldest first."""
        local, _, domain = address.rpartition("@")
        box = self.folder / "boxes" / domain / local
        files = sorted((*(box / "new").glob("*"), *(box / "cur").glob("*")), key=lambda file: file.name)
        return [file.read_bytes() for file in files]

    def write_as(self, sender: str, to: str, raw: bytes) -> None:
        """Deliver a mail as another operator does, over the MX port."""
        with smtplib.SMTP("127.0.0.1", self.mx_port, timeout=10) as client:
            client.sendmail(sender, [to], raw)

    def _configure(self) -> None:
        user = pwd.getpwnam("postfix")
        for name in ("etc", "queue", "data", "boxes", "dovecot", "dovecot-state"):
            (self.folder / name).mkdir()
        self.folder.chmod(0o755)
        for name in ("data", "boxes"):
            os.chown(self.folder / name, user.pw_uid, user.pw_gid)
        values = {
            "folder": self.folder,
            "domains": ", ".join(DOMAINS),
            "uid": user.pw_uid,
            "gid": user.pw_gid,
            "certificate": self._pki.cert("mss-server"),
            "key": self._pki.key("mss-server"),
            "authority": self._pki.ca_pem,
            "smtp": self.smtp_port,
            "mx": self.mx_port,
            "imap": self.imap_port,
        }
        (self.folder / "etc" / "main.cf").write_text(_MAIN_CF.format(**values))
        (self.folder / "etc" / "master.cf").write_text(_MASTER_CF.format(**values))
        (self.folder / "etc" / "dovecot.conf").write_text(_DOVECOT.format(**values))
        boxes = [f"{box} {box.rpartition('@')[2]}/{box.rpartition('@')[0]}/\n" for box in MAILBOXES]
        (self.folder / "mailboxes").write_text("".join(boxes))
        (self.folder / "transport").write_text(
            "bal-pleine@medecin-demo.mssante.fr error:5.2.2 boite pleine\n"
            "bal-fermee@medecin-demo.mssante.fr error:5.2.1 boite fermee\n"
            "lent@medecin-demo.mssante.fr retry:4.3.2 plus tard\n"
        )
        (self.folder / "refused").write_text(
            "rcpt-refuse@medecin-demo.mssante.fr 550 5.1.1 no such mailbox\n"
            "rcpt-tempo@medecin-demo.mssante.fr 451 4.3.2 try later\n"
        )

    def _wait(self, port: int) -> None:
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            if any(process.poll() is not None for process in self._processes):
                break
            try:
                with socket.create_connection(("127.0.0.1", port), 1) as connection:
                    connection.settimeout(5)
                    if connection.recv(1):
                        return
            except OSError:
                time.sleep(0.05)
        raise ServerMissing(f"a mail server did not start: {(self.folder / 'start.log').read_text()[-2000:]}")
