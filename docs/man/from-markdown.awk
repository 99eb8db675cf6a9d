# Makes an mdoc page, for section 5, out of a page of docs/: headings, paragraphs, lists, code, tables.
#
# awk -v name=PAGE -v about=TEXT -v date=DATE -v see='NAME SECTION …' \
#     [-v example=FILE] -f from-markdown.awk PAGE.md
#
# A table becomes a list with its first column as the tags. A column "example" is set apart; others
# behind the second stand in brackets, behind their heading.

function escape(s) {
    gsub(/\\/, "\\e", s)
    return s
}

# `code`, **bold** and [text](link); nothing is parsed inside code.
function inline(s,    out, i, c, end, rest) {
    for (i = 1; i <= length(s); i++) {
        c = substr(s, i, 1)
        rest = substr(s, i + 1)
        if (c == "`" && (end = index(rest, "`"))) {
            out = out "\\fB" escape(substr(rest, 1, end - 1)) "\\fR"
            i += end
        } else if (c == "*" && substr(rest, 1, 1) == "*" && (end = index(substr(rest, 2), "**"))) {
            out = out "\\fB" inline(substr(rest, 2, end - 1)) "\\fR"
            i += end + 2
        } else if (c == "[" && match(rest, /^[^]]*\]\([^)]*\)/)) {
            out = out link(substr(rest, 1, RLENGTH))
            i += RLENGTH
        } else
            out = out escape(c)
    }
    return out
}

# TEXT](WHERE): of a page of the web both; of one of docs/ also its name.
function link(s,    at, text, where) {
    at = index(s, "](")
    text = inline(substr(s, 1, at - 1))
    where = substr(s, at + 2, length(s) - at - 2)
    if (where ~ /^[a-z-]+(\.[a-z]+)*\.md(#.*)?$/) {
        sub(/#.*/, "", where)
        return text " (docs/" where ")"
    }
    return where ~ /^http/ ? text " (" where ")" : text
}

# A text, a line a sentence; no line begins like a request.
function text(s,    line) {
    s = inline(s)
    while (s != "") {
        line = s
        if (match(s, /[.] [^a-z]/))
            line = substr(s, 1, RSTART)
        s = substr(s, length(line) + 1)
        sub(/^ /, "", s)
        print (line ~ /^[.']/ ? "\\&" : "") line
    }
}

# Words behind a macro: none is taken for another.
function words(s,    word, n, i, out) {
    n = split(inline(s), word, " ")
    for (i = 1; i <= n; i++)
        out = out (i > 1 ? " " : "") "\\&" word[i]
    gsub(/"/, "\\(dq", out)
    return out
}

function end_paragraph() {
    if (paragraph == "")
        return
    if (begun)
        print ".Pp"
    begun = 1
    text(paragraph)
    paragraph = ""
}

function end_list() {
    end_item()
    if (list)
        print ".El"
    list = 0
}

function end_item() {
    if (item != "")
        text(item)
    item = ""
}

function end_code() {
    if (code)
        print ".Ed"
    code = 0
}

function end_table() {
    if (columns)
        print ".El"
    columns = 0
}

function end_blocks() {
    end_paragraph()
    end_list()
    end_code()
    end_table()
}

# Splits a row into cell[1..n]; a | in code, or behind a backslash, is none.
function split_row(row, cell,    i, n, c, quoted) {
    sub(/^\| */, "", row)
    sub(/ *\| *$/, "", row)
    n = 1
    cell[1] = ""
    for (i = 1; i <= length(row); i++) {
        c = substr(row, i, 1)
        if (c == "`")
            quoted = !quoted
        if (c == "\\" && substr(row, i + 1, 1) == "|")
            cell[n] = cell[n] substr(row, ++i, 1)
        else if (c == "|" && !quoted)
            cell[++n] = ""
        else
            cell[n] = cell[n] c
    }
    for (i = 1; i <= n; i++)
        gsub(/^ +| +$/, "", cell[i])
    return n
}

function row(line,    cell, n, i, body, example_cell) {
    n = split_row(line, cell)
    if (!columns) {
        columns = n
        for (i = 1; i <= n; i++)
            heading[i] = cell[i]
        print ".Bl -tag -width Ds"
        return
    }
    if (cell[1] ~ /^-+$/)
        return
    print ".It " words(cell[1])
    for (i = 2; i <= n; i++)
        if (heading[i] == "example")
            example_cell = cell[i]
        else if (body == "")
            body = cell[i]
        else
            body = body " (" heading[i] ": " cell[i] ")"
    text(body)
    if (example_cell != "")
        print ".Dl " words(example_cell)
}

BEGIN {
    print ".\\\" Made of docs/ by docs/man/from-markdown.awk."
    print ".Dd " date
    print ".Dt " toupper(name) " 5"
    print ".Os"
    print ".Sh NAME"
    print ".Nm " name
    print ".Nd " about
    print ".Sh DESCRIPTION"
}

/^```/ {
    if (fenced)
        end_code()
    else {
        end_blocks()
        print ".Bd -literal -offset indent"
        code = 1
    }
    fenced = !fenced
    next
}
fenced {
    print ($0 ~ /^[.']/ ? "\\&" : "") escape($0)
    next
}
/^# / { next }
/^## / {
    end_blocks()
    print ".Sh " toupper(substr($0, 4))
    begun = 0
    next
}
/^### / {
    end_blocks()
    print ".Ss " substr($0, 5)
    begun = 0
    next
}
/^\|/ {
    end_paragraph()
    end_list()
    row($0)
    next
}
/^ *$/ {
    end_paragraph()
    if (code)
        blank++
    else
        end_table()
    gap = 1
    next
}
/^    / && !list && paragraph == "" {
    if (!code) {
        end_blocks()
        print ".Bd -literal -offset indent"
        code = 1
        blank = 0
    }
    for (; blank > 0; blank--)
        print ""
    line = substr($0, 5)
    print (line ~ /^[.']/ ? "\\&" : "") escape(line)
    next
}
/^(-|[0-9]+\.) / {
    end_paragraph()
    end_code()
    end_table()
    if (!list)
        print ".Bl " ($0 ~ /^-/ ? "-bullet" : "-enum") " -compact"
    else
        end_item()
    list = 1
    print ".It"
    item = $0
    sub(/^[^ ]* +/, "", item)
    gap = 0
    next
}
list && /^ / && !gap {
    sub(/^ +/, "")
    item = item " " $0
    next
}
{
    if (list)
        end_list()
    end_code()
    end_table()
    paragraph = paragraph (paragraph == "" ? "" : " ") $0
    gap = 0
}

END {
    end_blocks()
    if (example != "") {
        print ".Sh EXAMPLES"
        print ".Bd -literal"
        while ((getline line < example) > 0)
            print (line ~ /^[.']/ ? "\\&" : "") escape(line)
        print ".Ed"
    }
    print ".Sh SEE ALSO"
    n = split(see, page, " ")
    for (i = 1; i < n; i += 2)
        print ".Xr " page[i] " " page[i + 1] (i + 1 < n ? " ," : "")
}
