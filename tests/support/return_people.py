"""What people write, what machines write for them, and what nobody expects."""

from collections.abc import Iterator

from tests.support.return_forms import BOX, DOCTOR, HEAD, OUR_ID, PATIENT, Case, mail, multipart


def others() -> Iterator[Case]:
    """Give all of them."""
    yield from _people()
    yield from _machines()
    yield from _strange()


# people --------------------------------------------------------------------------------------------------------------


def _people() -> Iterator[Case]:
    for who, kind in ((DOCTOR, "reply"), ("secretariat@cabinet.mssante.fr", "reply"), (PATIENT, "patient_reply")):
        head = f"Return-Path: <{who}>\r\nFrom: {who}\r\nTo: {BOX}\r\nMessage-ID: <h@x>\r\n"
        thread, subject = f"In-Reply-To: {OUR_ID}\r\n", "Subject: RE: XDM/1.0/DDM+CR DURAND\r\n"
        text = ("text/plain", "Pouvez-vous rappeler ?")
        notice = (
            f"Reporting-MTA: dns; x\r\n\r\nFinal-Recipient: rfc822; {DOCTOR}\r\nAction: failed\r\nStatus: 5.1.1\r\n"
        )
        attached = "\r\nContent-Disposition: attachment"
        photos = (f'application/zip{attached}; filename="photos.zip"', "UEs=")
        forms: dict[str, bytes] = {
            "plain": mail(head + subject + thread),
            "references only": mail(head + subject + f"References: <a@b> {OUR_ID}\r\n"),
            "no subject": mail(head + thread),
            "quoting all": mail(head + subject + thread, "Non.\n\n> Message-ID: <x@y>\n> " + "ligne\n> " * 200),
            "html only": (head + subject + thread + "Content-Type: text/html\r\n\r\n<p>Merci</p>").encode(),
            "quoted-printable": mail(head + subject + thread, "Reçu, merci", coding="quoted-printable"),
            "latin-1 without saying": (head + subject + thread + "\r\n").encode() + "Reçu été".encode("latin-1"),
            "about an absence": mail(head + "Subject: RE: absence\r\nX-Auto-Response-Suppress: All\r\n" + thread),
            "through a list": mail(head + subject + thread + "List-Id: <secretariat.cabinet>\r\nPrecedence: list\r\n"),
            "marked bulk": mail(head + subject + thread + "Precedence: bulk\r\n"),
            "not automatic, it says": mail(head + subject + thread + "Auto-Submitted: no\r\n"),
            "answering an automatic mail": mail(head + "Subject: RE: Reponse automatique : labo\r\n" + thread),
            "about a failure": mail(head + "Subject: Undelivered mail ? non remis\r\n" + thread),
            "with a bounce attached": multipart(
                head + subject + thread, "multipart/mixed", text, ("message/delivery-status" + attached, notice)
            ),
            "with a mail attached": multipart(
                head + subject + thread, "multipart/mixed", text, ("message/rfc822" + attached, HEAD + "\r\nx")
            ),
            "with a receipt attached": multipart(
                head + subject + thread,
                "multipart/mixed",
                text,
                ("message/disposition-notification" + attached, "Disposition: a/b; displayed\r\n"),
            ),
            "with photographs": multipart(head + "Subject: RE: photos\r\n" + thread, "multipart/mixed", text, photos),
            "signed": multipart(
                head + subject + thread, "multipart/signed; protocol=x", text, ("application/pkcs7-signature", "MII")
            ),
            "with an invitation": multipart(
                head + subject + thread, "multipart/alternative", text, ("text/calendar; method=REPLY", "BEGIN:V")
            ),
            "winmail": multipart(head + subject + thread, "multipart/mixed", text, ("application/ms-tnef", "eJ8+")),
            "broken boundary": multipart(head + subject + thread, "multipart/mixed", text).replace(b"--b0--", b""),
            "about the KO": mail(head + "Subject: RE: [KO Integration systeme !][902] XDM\r\n" + thread),
        }  # fmt: skip
        for name, raw in forms.items():
            yield Case(f"person {who[:6]} {name}", raw, kind)
    fresh = f"Return-Path: <{DOCTOR}>\r\nFrom: {DOCTOR}\r\nSubject: Question\r\n"
    yield Case("person without thread", mail(fresh), "human")
    yield Case("person without thread, through a gateway", mail("Received: x\r\n" * 12 + fresh), "human")
    yield Case("patient without thread", mail(f"From: {PATIENT}\r\nSubject: bonjour\r\n"), "patient_reply")
    archive = ('application/zip\r\nContent-Disposition: attachment; filename="IHE_XDM.zip"', "UEs=")
    yield Case("patient who sends our archive back",
               multipart(f"From: {PATIENT}\r\nIn-Reply-To: {OUR_ID}\r\n", "multipart/mixed", archive),
               "patient_reply")  # fmt: skip


def _machines() -> Iterator[Case]:
    head, thread = f"From: {DOCTOR}\r\nTo: {BOX}\r\n", f"In-Reply-To: {OUR_ID}\r\n"
    automatic = {
        "rfc 3834": "Auto-Submitted: auto-replied\r\nSubject: Absence\r\n",
        "sieve": "Return-Path: <>\r\nAuto-Submitted: auto-replied (vacation)\r\nSubject: Auto: XDM\r\n",
        "exchange fr": "X-Auto-Response-Suppress: All\r\nSubject: =?utf-8?q?R=C3=A9ponse_automatique_=3A_XDM?=\r\n",
        "exchange en": "X-Auto-Response-Suppress: All\r\nSubject: Automatic reply: XDM\r\n",
        "exchange absent": "X-Auto-Response-Suppress: OOF\r\nSubject: Absent du bureau\r\n",
        "by its subject alone": "Subject: =?utf-8?q?R=C3=A9ponse_automatique_=3A_Re=3A_XDM?=\r\n",
        "x-autoreply": "X-Autoreply: yes\r\nSubject: Conges\r\n",
        "x-autorespond": "X-Autorespond: 1\r\nPrecedence: bulk\r\nSubject: Conges\r\n",
        "precedence": "Precedence: auto_reply\r\nSubject: Conges\r\n",
        "to a null path": "Return-Path: <>\r\nSubject: Out of Office: XDM\r\n",
        "generated": "Auto-Submitted: auto-generated\r\nSubject: Accuse de reception\r\n",
    }
    for name, lines in automatic.items():
        yield Case(f"automatic {name}", mail(head + lines + thread, "Je suis absent jusqu'au 3."), "auto_reply")
        robot = lines.replace("Return-Path: <>\r\n", "")
        yield Case(f"automatic {name} of a robot",
                   mail(f"Return-Path: <>\r\nFrom: no-reply@cabinet.mssante.fr\r\n{robot}{thread}", "Cabinet clos."),
                   "auto_reply")  # fmt: skip
    for name, lines in {
        "list": "List-Id: <n.x>\r\n",
        "bulk": "Precedence: bulk\r\n",
        "junk": "Precedence: junk\r\n",
    }.items():
        yield Case(f"bulk {name}", mail(head + lines + "Subject: Lettre\r\n"), "bulk")
    zipped = ('application/zip\r\nContent-Disposition: attachment; filename="{}"', "UEs=")
    for name in ("IHE_XDM.zip", "ihe_xdm.ZIP"):
        part = (zipped[0].format(name), zipped[1])
        yield Case(f"xdm {name}", multipart(head + "Subject: XDM/1.0/DDM+CR\r\n", "multipart/mixed", part), "xdm")
    part = (zipped[0].format("autre.zip"), zipped[1])
    yield Case("xdm by its subject", multipart(head + "Subject: XDM/1.0/DDM+CR\r\n", "multipart/mixed", part), "xdm")
    yield Case("nobody to return it to", mail("Return-Path: <>\r\n" + head + "Subject: x\r\n"), "unclear")


def _strange() -> Iterator[Case]:
    head = f"From: {DOCTOR}\r\nIn-Reply-To: {OUR_ID}\r\n"
    yield Case("outside", mail("From: x@gmail.com\r\nSubject: bonjour\r\n"), "outside")
    yield Case("outside that answers", mail(f"From: x@gmail.com\r\nIn-Reply-To: {OUR_ID}\r\n"), "outside")
    yield Case("suffix that only looks like it", mail("From: x@mssante.fr.example\r\n"), "outside")
    yield Case("our hand-over come back", mail(f"From: {BOX}\r\nX-Labohub-Loop: x\r\n"), "loop")
    yield Case("our mail come back", mail(f"From: {BOX}\r\nMessage-ID: {OUR_ID}\r\n"), "loop")
    yield Case(
        "from our own people's box", mail("From: labo.retours@labo-demo.mssante.fr\r\nSubject: x\r\n"), "circular"
    )
    yield Case("too many servers", mail("Received: x\r\n" * 30 + head), "circular")
    yield Case("empty", b"", "unreadable")
    yield Case("no header", b"\r\n\r\nhello", "unreadable")
    deep = head + "".join(f'Content-Type: multipart/mixed; boundary="b{n}"\r\n\r\n--b{n}\r\n' for n in range(60))
    yield Case("deep parts", deep.encode() + b"\r\nx", "reply")
    yield Case("unknown charset", (head + "Content-Type: text/plain; charset=klingon\r\n\r\nbonjour").encode(), "reply")
    yield Case("unknown coding", (head + "Content-Transfer-Encoding: rot13\r\n\r\nobawbhe").encode(), "reply")
    yield Case("null bytes", (head + "\r\nbon").encode() + b"\x00\x00jour", "reply")
    yield Case("broken encoded word", mail(head + "Subject: =?utf-8?b?////?= =?x?q?=ZZ?=\r\n"), "reply")
    yield Case("a long header", mail(head + "X-Long: " + "a" * 200_000 + "\r\n"), "reply")
    yield Case("a thousand references", mail(head + "References: " + "<a@b> " * 1000 + "\r\n"), "reply")
    yield Case("broken file name",
               (head + "Content-Type: a/b; name*=klingon'x'%ZZ\r\n\r\nx").encode(), "reply")  # fmt: skip
    two = f"From: {DOCTOR}, x@gmail.com\r\nIn-Reply-To: {OUR_ID}\r\n"
    yield Case("two authors", mail(two), "reply")
