"""Laws of pagination: nothing is lost, nothing is drawn below the margin, headings stay with what they head."""

from hypothesis import given
from hypothesis import strategies as st

from cda_builder.adapters.pdf.look import BOTTOM
from cda_builder.adapters.pdf.pages import Block, paginate
from cda_builder.adapters.pdf.sheet import Sheet

FIRST, NEXT = 600.0, 770.0


def draw(_sheet: Sheet, _y: float) -> None:
    """Draw nothing."""


HEAD = Block(30, draw)
BLOCKS = st.lists(
    st.builds(
        Block,
        height=st.floats(1, 400),
        draw=st.just(draw),
        sticky=st.booleans(),
        repeat=st.sampled_from([None, HEAD]),
    ),
    max_size=60,
)


@given(BLOCKS)
def test_every_block_is_on_a_page_in_order_above_the_margin(blocks: list[Block]) -> None:
    pages = paginate(blocks, FIRST, NEXT)

    placed = [block for page in pages for _, block in page if block is not HEAD]
    assert [id(each) for each in placed] == [id(each) for each in blocks]
    for number, page in enumerate(pages):
        top = FIRST if number == 0 else NEXT
        for y, block in page:
            assert y == top
            assert y - block.height >= BOTTOM - 1e-6
            top = y - block.height


@given(BLOCKS)
def test_what_sticks_is_divided_only_when_a_page_cannot_hold_it(blocks: list[Block]) -> None:
    pages = paginate(blocks, FIRST, NEXT)

    ends = {id(page[-1][1]) for page in pages[:-1] if page}
    start = 0
    while start < len(blocks):
        end = start
        while blocks[end].sticky and end + 1 < len(blocks):
            end += 1
        group = blocks[start : end + 1]
        if sum(each.height for each in group) <= NEXT - BOTTOM - HEAD.height:
            assert not ends & {id(each) for each in group[:-1]}
        start = end + 1
