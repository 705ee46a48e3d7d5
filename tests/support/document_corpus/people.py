"""People with the names that people have."""

from tests.support.document_corpus.made import MMOL, Made, oru, pid, spm
from tests.support.ltw_messages import SODIUM, WHO, obx, order


def people() -> dict[str, Made]:
    """Return them by name."""
    result = order("A1", "B^Bilan^99P", obx(1, "NM", SODIUM, "139", f6=MMOL), spm())
    names = {
        "apostrophes": "D'ARTOIS-L'ÉCUYER^ÉLODIE^ÉLODIE ANNE-MARIE^^^^L",
        "one letter": "Y^O^O^^^^L",
        "eighty": f"{'LONGUENOM-' * 8}^{'A' * 40}^{'A' * 40} B^^^^L",
        "ligature": "LŒUVRE-BŒUF^ÆLIS^ÆLIS^^^^L",
        "used": "D'ARTOIS^ÉLODIE^ÉLODIE MARIE^^^^L~VASSEUR^LILI^^^^^D",
        "used first": "VASSEUR^LILI^^^^^D~D'ARTOIS^ÉLODIE^ÉLODIE MARIE^^^^L",
        "escaped": "O\\T\\BRIEN^ÉLODIE^ÉLODIE^^^^L",
        "prefix": "DE LA TOUR D'AUVERGNE&DE LA&TOUR^JEAN-PIERRE^JEAN-PIERRE^^^^L",
    }
    made = {f"patient {name}": oru(result, patient=pid(written)) for name, written in names.items()}
    made["patient of unknown sex"] = oru(result, patient=pid(sex="U"))
    who = {
        "DR title": "10000000017^KERADEC^Yannick Paul^^^DR^^^A&1&ISO^D^^^RPPS",
        "double given": "10000000017^LE GOFF-D'HUART^Marie-Ève Anne^^^^^^A&1&ISO^D^^^RPPS",
        "no given": "10000000017^KERADEC^^^^^^^A&1&ISO^D^^^RPPS",
        "ligature": "10000000017^LŒW^Zoé^^^^^^A&1&ISO^D^^^RPPS",
        "html": "10000000017^A<B>^C&D^^^^^^A&1&ISO^D^^^RPPS",
    }
    made |= {f"doctor {name}": oru([each.replace(WHO, text) for each in result]) for name, text in who.items()}
    return {name: Made(raw) for name, raw in made.items()}
