"""The small fixed parts of a workbook around its sheets (ECMA-376 part 1)."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import quoteattr

_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_DOCUMENT = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_CONTENT = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_FORBIDDEN_IN_TITLES = str.maketrans(dict.fromkeys("[]:*?/\\'", " "))
_TITLE_CHARACTERS = 24

ROOT_RELATIONS = (
    f'{_XML}<Relationships xmlns="{_RELATIONS}">'
    f'<Relationship Id="rId1" Type="{_DOCUMENT}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
).encode()

# Cell formats by index: 0 general, 1 text, 2 money, 3 moment, 4 heading.
STYLES = (
    f'{_XML}<styleSheet xmlns="{_MAIN}">'
    '<numFmts count="1"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd\\ hh:mm:ss"/></numFmts>'
    '<fonts count="2"><font><sz val="11"/><name val="Calibri"/><family val="2"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/><family val="2"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="5"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="4" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="49" fontId="1" fillId="0" borderId="0" xfId="0" applyNumberFormat="1" applyFont="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
).encode()


def sheet_title(title: str, index: int) -> str:
    """The name on tab `index` (from 1): without characters Excel forbids, short enough for a number behind it."""
    clean = title.translate(_FORBIDDEN_IN_TITLES).strip()[:_TITLE_CHARACTERS] or "Sheet"
    return clean if index == 1 else f"{clean} {index}"


def sheet_start(widths: Sequence[float]) -> bytes:
    """Everything of a sheet before its rows: the heading row frozen, column widths in characters."""
    columns = "".join(
        f'<col min="{index}" max="{index}" width="{width}" customWidth="1"/>' for index, width in enumerate(widths, 1)
    )
    return (
        f'{_XML}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
        '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
        f'<sheetFormatPr defaultRowHeight="15"/><cols>{columns}</cols><sheetData>'
    ).encode()


def sheet_end(columns: int, rows: int) -> bytes:
    """Everything after the rows: a filter over the heading."""
    return f'</sheetData><autoFilter ref="A1:{column_letters(columns)}{rows}"/></worksheet>'.encode()


def column_letters(number: int) -> str:
    """The name of column `number` (from 1): A, …, Z, AA, and on."""
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def workbook(title: str, sheets: int) -> bytes:
    """xl/workbook.xml."""
    tabs = "".join(
        f'<sheet name={quoteattr(sheet_title(title, index))} sheetId="{index}" r:id="rId{index}"/>'
        for index in range(1, sheets + 1)
    )
    return (
        f'{_XML}<workbook xmlns="{_MAIN}" xmlns:r="{_DOCUMENT}"><workbookPr/>'
        f"<bookViews><workbookView/></bookViews><sheets>{tabs}</sheets></workbook>"
    ).encode()


def workbook_relations(sheets: int) -> bytes:
    """xl/_rels/workbook.xml.rels."""
    items = "".join(
        f'<Relationship Id="rId{index}" Type="{_DOCUMENT}/worksheet" Target="worksheets/sheet{index}.xml"/>'
        for index in range(1, sheets + 1)
    )
    styles = f'<Relationship Id="rId{sheets + 1}" Type="{_DOCUMENT}/styles" Target="styles.xml"/>'
    return f'{_XML}<Relationships xmlns="{_RELATIONS}">{items}{styles}</Relationships>'.encode()


def content_types(sheets: int) -> bytes:
    """[Content_Types].xml."""
    items = "".join(
        f'<Override PartName="/xl/worksheets/sheet{index}.xml" ContentType="{_CONTENT}.worksheet+xml"/>'
        for index in range(1, sheets + 1)
    )
    return (
        f'{_XML}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_CONTENT}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{_CONTENT}.styles+xml"/>{items}</Types>'
    ).encode()
