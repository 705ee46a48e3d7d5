"""Pictures, PDFs and other objects."""

from tests.support.document_corpus.made import MMOL, PDF, REFUSED, Made, b64, ed, oru, picture, spm
from tests.support.ltw_messages import ELSEWHERE, SODIUM, obx, order


def objects() -> dict[str, Made]:
    """Return them by name."""
    png, jpeg, tiff, gif, bmp = (picture(kind) for kind in ("PNG", "JPEG", "TIFF", "GIF", "BMP"))
    leaves = {
        "PNG": ed("image", "png", png),
        "JPEG": ed("IM", "JPEG", jpeg),
        "TIFF": ed("image", "tiff", tiff),
        "GIF": ed("image", "gif", gif),
        "BMP": ed("image", "bmp", bmp),
        "PNG said JPEG": ed("image", "jpeg", png),
        "PNG wrapped": ed("image", "png", png[:76] + "\\.br\\" + png[76:]),
        "PDF": ed("application", "pdf", b64(PDF)),
        "PDF subcontracted": ed("AP", "PDF", b64(PDF), f23=ELSEWHERE),
        "text object": ed("text", "plain", b64("Bonjour <é>".encode())),
        "html object": ed("text", "html", b64(b"<script>1</script>")),
        "svg object": ed("image", "svg+xml", b64(b"<svg onload='x'/>")),
        "unknown object": ed("application", "octet-stream", b64(b"\0\1")),
    }
    made = {name: Made(raw) for name, raw in leaves.items()}
    leaves = {
        "not a PNG": ed("image", "png", b64(b"hello world")),
        "not a PDF": ed("application", "pdf", b64(b"hello world")),
    }
    made |= {name: Made(raw) for name, raw in leaves.items()}  # said not to be shown; the sender is warned
    unreadable = {
        "PNG corrupt": ed("image", "png", png[:60]),
        "JPEG corrupt": ed("image", "jpeg", b64(b"\xff\xd8\xff" + b"no" * 40)),
        "TIFF corrupt": ed("image", "tiff", b64(b"II*\0" + b"\0" * 60)),
        "text not UTF-8": ed("text", "plain", b64(b"\xff\xfe\xfd")),
    }
    made |= {name: Made(raw, REFUSED, "cda.attachment-unreadable") for name, raw in unreadable.items()}
    locked, active = (
        PDF.replace(b"trailer<<", b"trailer<</Encrypt 2 0 R"),
        PDF.replace(b"/Catalog", b"/Catalog/OpenAction<</S/JavaScript/JS(1)>>"),
    )
    made |= {
        name: Made(ed("application", "pdf", b64(pdf)), REFUSED, "cda.not-conformant")
        for name, pdf in (("PDF locked", locked), ("PDF with a script", active))
    }
    made["PDF cut"] = Made(ed("application", "pdf", b64(PDF[:40])))
    whole = obx(2, "ED", "11502-2^CR^LN", f"SGL^application^pdf^Base64^{b64(PDF)}")
    made["whole report beside results"] = Made(
        oru(order("A1", "B^Bilan^99P", obx(1, "NM", SODIUM, "139", f6=MMOL), whole, spm()))
    )
    made["whole report with a script"] = Made(
        oru(
            order(
                "A1", "B^Bilan^99P", obx(1, "NM", SODIUM, "139", f6=MMOL), whole.replace(b64(PDF), b64(active)), spm()
            )
        ),
        REFUSED,
        "cda.not-conformant",
    )
    made["base64 corrupt"] = Made(ed("image", "png", "@@@@"), REFUSED, "hl7.base64-corrupt")
    return made
