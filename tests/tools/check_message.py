#!/usr/bin/env python3
"""Judge finished bulk mails (.eml) against the mail standards, row by row (each names its RFC section or source).

  python check_message.py mail.eml …      ZONE=zone.txt ("NAME TXT VALUE" lines) verifies DKIM offline
  ALLOW_TEXT='{{ a }}|||[[ b ]]'  text that the content itself quotes and that is no leftover
  ENVELOPE_FROM=…  the MAIL FROM used      POSTAL="Main Street"  words of the postal address to find
Exit 1 if any MUST fails. stdlib + dkimpy (DKIM rows are skipped without it) + lxml.
"""
import email, email.policy, os, pathlib, re, sys, html
from email.header import decode_header, make_header
from email.utils import getaddresses, parsedate_to_datetime

E = os.environ.get
URL = re.compile(r'https?://[^\s<>"\')]+')


def org(d): return '.'.join(d.lower().rstrip('.').split('.')[-2:])     # good enough for the .test zone


def lum(c):
    v = [int(c[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    v = [x / 12.92 if x <= .03928 else ((x + .055) / 1.055) ** 2.4 for x in v]
    return .2126 * v[0] + .7152 * v[1] + .0722 * v[2]


def hex6(c):
    c = (c or '').strip().lower(); c = {'white': '#ffffff', 'black': '#000000'}.get(c, c)
    if re.fullmatch(r'#[0-9a-f]{3}', c): c = '#' + ''.join(x * 2 for x in c[1:])
    return c if re.fullmatch(r'#[0-9a-f]{6}', c) else None


CJK = re.compile(r'[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u0e00-\u0e7f]+')


def words(text):
    """Words of four letters and more; where a script has no spaces, runs of four characters."""
    # Lines of text may break inside of a run, so it counts with and without its line ends; two elements are no run.
    runs = CJK.findall(re.sub(r'\r?\n', '', text)) + CJK.findall(text)
    return ({w.lower() for w in re.findall(r'\w{4,}', CJK.sub(' ', text))}
            | {r[i:i + 4] for r in runs for i in range(max(1, len(r) - 3))})


def check(raw):
    out = []
    def row(level, name, ok, note=''): out.append((level, name, bool(ok), str(note)[:110]))
    must, should = (lambda n, ok, note='': row('MUST', n, ok, note)), (lambda n, ok, note='': row('SHOULD', n, ok, note))
    head = re.split(rb'\r?\n\r?\n', raw, 1)[0]
    unfolded = re.sub(rb'\r?\n[ \t]+', b' ', head)
    names = [l.split(b':')[0].lower().decode('latin-1') for l in unfolded.split(b'\n') if b':' in l]
    msg = email.message_from_bytes(raw, policy=email.policy.compat32)
    get = lambda n: re.sub(r'\s*\r?\n\s+', ' ', str(msg.get(n) or '')).strip()
    lines = raw.replace(b'\r\n', b'\n').split(b'\n')
    must('5322-2.1.1 line <= 998', max(map(len, lines)) <= 998, max(map(len, lines)))
    should('5322-2.1.1 line <= 78', max(map(len, lines)) <= 78, max(map(len, lines)))
    must('5322-2.2 no NUL or bare CR', b'\0' not in raw and not re.search(rb'\r(?!\n)', raw))
    must('header is 7-bit (or SMTPUTF8 asked for)', all(b < 128 for b in head) or E('SMTPUTF8'))
    for n in ('from', 'date', 'message-id', 'subject', 'to', 'mime-version'):
        must(f'5322-3.6 exactly one {n}', names.count(n) == 1, names.count(n))
    for n in ('list-unsubscribe', 'list-unsubscribe-post', 'list-id', 'reply-to', 'sender', 'feedback-id', 'precedence', 'auto-submitted'):
        must(f'at most one {n}', names.count(n) <= 1, names.count(n))
    try: parsedate_to_datetime(get('Date')); ok = True
    except Exception: ok = False
    must('5322-3.3 Date parses', ok, get('Date'))
    must('5322-3.6.4 Message-ID <x@fqdn>', re.fullmatch(r'<[^\s<>@]+@[A-Za-z0-9.-]+\.[A-Za-z0-9-]+>', get('Message-ID')), get('Message-ID'))
    fr = getaddresses([get('From')]); fdom = fr[0][1].rpartition('@')[2].lower() if fr else ''
    must('one From address', len(fr) == 1 and fdom, get('From'))
    must('From is not a free-mail domain', not re.search(r'(^|\.)(gmail|googlemail|yahoo|hotmail|outlook|live|icloud|aol|gmx|web)\.', fdom + '.'), fdom)
    must('To names one reader (no list disclosed)', len(getaddresses([get('To')])) == 1 and not msg.get('Cc') and not msg.get('Bcc'))
    sub = str(make_header(decode_header(get('Subject')))) if msg.get('Subject') else ''
    should('subject 1..78 characters, no shouting, no fake Re:/Fwd:', 0 < len(sub) <= 78 and not sub.isupper() and not re.match(r'(re|fwd?|aw|tr)\s*:', sub, re.I), sub)
    # list headers: judged on the raw bytes, since an encoded-word here is the classic Python failure
    lu = unfolded.decode('latin-1'); lu = (re.search(r'^list-unsubscribe:\s*(.*)$', lu, re.I | re.M) or [0, ''])[1].strip()
    must('2369 List-Unsubscribe is <uri>, <uri> with no encoded-word', re.fullmatch(r'<[^<>\s]+>(\s*,\s*<[^<>\s]+>)*', lu), lu)
    must('8058-3.1 one https URI in it', len(re.findall(r'<https://[^<>]+>', lu)) == 1, lu)
    should('2369 a mailto URI too', '<mailto:' in lu)
    must('8058-3.1 List-Unsubscribe-Post: List-Unsubscribe=One-Click', get('List-Unsubscribe-Post') == 'List-Unsubscribe=One-Click', get('List-Unsubscribe-Post'))
    must('2919 List-Id <label.domain>', re.search(r'<[A-Za-z0-9!#$%&\'*+/=?^_`{|}~-]+(\.[A-Za-z0-9-]+)+>$', get('List-Id')), get('List-Id'))
    should('2369 List-Help or List-Archive', msg.get('List-Help') or msg.get('List-Archive'))
    should('Feedback-ID a:b:c:SenderId', re.fullmatch(r'[^:\s]*:[^:\s]*:[^:\s]*:[^:\s]{1,15}', get('Feedback-ID')), get('Feedback-ID'))
    env = E('ENVELOPE_FROM') or get('Return-Path').strip('<>')
    if env:
        must('envelope sender set, one per recipient (VERP)', '@' in env, env)
        must('SPF domain aligned with From (relaxed)', org(env.rpartition('@')[2]) == org(fdom), env)
    # structure
    parts = [p for p in msg.walk() if not p.is_multipart()]
    kinds = [p.get_content_type() for p in parts]
    must('2046-5.1.4 text/plain before text/html in multipart/alternative', 'text/plain' in kinds and 'text/html' in kinds and kinds.index('text/plain') < kinds.index('text/html'), kinds)
    must('2045-6.7 cte is 7bit, quoted-printable or base64', all((p.get('Content-Transfer-Encoding') or '7bit').lower() in ('7bit', 'quoted-printable', 'base64') for p in parts))
    must('charset utf-8 (or us-ascii) named on each text part', all((p.get_content_charset() or '') in ('utf-8', 'us-ascii') for p in parts if p.get_content_maintype() == 'text'))
    txt = next((p.get_payload(decode=True).decode('utf-8', 'replace') for p in parts if p.get_content_type() == 'text/plain'), '')
    htm = next((p.get_payload(decode=True).decode('utf-8', 'replace') for p in parts if p.get_content_type() == 'text/html'), '')
    must('HTML at most 102,400 bytes (Gmail clips about there)', len(htm.encode()) <= 102_400, len(htm.encode()))
    should('HTML under 80 KiB, leaving room for the footer', len(htm.encode()) < 80 * 1024)
    must('whole mail under 10 MiB', len(raw) < 10 << 20)
    if htm:
        from lxml import html as LH
        t = LH.fromstring(htm); body = LH.fromstring(re.sub(r'(?s)<!--.*?-->|<style.*?</style>|<head.*?</head>', '', htm))
        # Joined by spaces: `<h3>Title</h3><p>By X</p>` is two lines to everybody, and no word "TitleBy".
        vis = ' '.join(' '.join(body.itertext()).split())
        hw, tw = words(vis), words(txt)
        must('text part carries >= 80 % of the words of the HTML', len(hw & tw) >= .8 * max(1, len(hw)), f'{len(hw & tw)}/{len(hw)}')
        must('text part holds no markup or CSS', not re.search(r'</?(td|table|div|span|p|style)\b|\{[^}]*:[^}]*;\s*\}|&(nbsp|amp|#\d+);', txt))
        hl = {a.split('#')[0] for a in t.xpath('//a/@href') if a.startswith('http')}; tl = set(URL.findall(txt))
        should('text part carries >= 80 % of the links', sum(any(x.startswith(h) or h.startswith(x) for x in tl) for h in hl) >= .8 * max(1, len(hl)), f'{len(tl)} of {len(hl)}')
        marks = htm + txt + sub
        for quoted in filter(None, (E('ALLOW_TEXT') or '').split('|||')): marks = marks.replace(quoted, '').replace(html.escape(quoted), '')
        must('no unfilled template mark', not re.search(r'\{\{|\}\}|\{%|%\}|\[\[|\*\|', marks) and 'None' not in re.findall(r'\bNone\b', sub))
        must('no script, form, iframe, object, on*=, javascript:', not re.search(r'<(script|form|iframe|object|embed|applet|link\s+rel=.?stylesheet)\b|<[^>]+\son\w+=|javascript:', htm, re.I))
        # in any language: a visible link in each part that goes where List-Unsubscribe goes (same first path element), or says so
        stop = re.search(r'<(https://[^/>]+/[^/>?]*)', lu); stop = stop.group(1) if stop else 'https://no-list-unsubscribe'
        word = r'unsubscri|abmeld|désabonn|baja|suscrip|afmeld|disiscri|cancelar|отпис|إلغاء|退订|配信停止|구독'
        seen_html = any((a.get('href') or '').startswith(stop) or re.search(word, a.text_content(), re.I) for a in t.xpath('//a[@href]') if a.text_content().strip())
        must('unsubscribe link visible in both parts', seen_html and (stop in txt or re.search(word, txt, re.I) and URL.search(txt)), stop)
        if E('POSTAL'): must('CAN-SPAM postal address in both parts', E('POSTAL').lower() in vis.lower() and E('POSTAL').lower() in txt.lower())
        must('html lang set, not "und"', re.search(r'<html[^>]*\slang=.(?!und)[a-z]{2}', htm, re.I))
        must('every img has alt', not t.xpath('//img[not(@alt)]'), len(t.xpath('//img[not(@alt)]')))
        must('every img has width', not t.xpath('//img[not(@width) and not(contains(@style,"width"))]'))
        must('layout tables role=presentation', not t.xpath('//table[not(@role="presentation") and not(@role="none") and not(.//th)]'), len(t.xpath('//table[not(@role)]')))
        should('one h1', len(t.xpath('//h1')) == 1, len(t.xpath('//h1')))
        hs = [int(e.tag[1]) for e in t.iter('h1', 'h2', 'h3', 'h4', 'h5', 'h6')]
        should('headings do not skip a level', all(b - a <= 1 for a, b in zip([0] + hs, hs)), hs)
        must('links and images https only', all(u.startswith(('https://', 'mailto:', '#', 'cid:', 'tel:')) for u in t.xpath('//a/@href|//img/@src')), [u for u in t.xpath('//a/@href|//img/@src') if not u.startswith(('https://', 'mailto:', '#', 'cid:'))][:2])
        must('no public URL shortener, no IP-address link', not re.search(r'https?://(bit\.ly|t\.co|goo\.gl|tinyurl\.com|ow\.ly|\d+\.\d+\.\d+\.\d+)', htm))
        bad = [a.text_content().strip() for a in t.xpath('//a[@href]') if re.match(r'https?://', a.text_content().strip()) and org(re.sub(r'^https?://([^/:?#]+).*', r'\1', a.text_content().strip())) != org(re.sub(r'^https?://([^/:?#]+).*', r'\1', a.get('href')))]
        must('no link text showing another domain than it opens', not bad, bad[:1])
        should('link text says where it goes', not any(a.text_content().strip().lower() in ('click here', 'here', 'more', 'read more', 'link', 'hier') for a in t.xpath('//a')))
        should('dark mode: color-scheme meta or prefers-color-scheme', 'color-scheme' in htm)
        should('preheader text in the first 200 characters', len(vis[:200]) > 30)
        low = []
        for e in body.xpath('//*[contains(@style,"color")]'):
            st = dict((k.strip().lower(), v.strip()) for k, v in (d.split(':', 1) for d in e.get('style').split(';') if ':' in d))
            fg = hex6(st.get('color')); bg, n = None, e
            while fg and n is not None and not bg:
                s2 = dict((k.strip().lower(), v.strip()) for k, v in (d.split(':', 1) for d in (n.get('style') or '').split(';') if ':' in d))
                bg = hex6(s2.get('background-color')) or hex6((s2.get('background') or '').split(' ')[0]) or hex6(n.get('bgcolor')); n = n.getparent()
            if fg and (e.text or '').strip():
                a, b = sorted((lum(fg), lum(bg or '#ffffff'))); r = (b + .05) / (a + .05)
                if r < 4.5: low.append((round(r, 2), (e.text or '').strip()[:20]))
        must('WCAG 1.4.3 text contrast >= 4.5', not low, low[:3])
        imgs, chars = len(t.xpath('//img')), len(vis)
        should('not an image-only mail (>= 100 letters an image)', chars >= 100 * max(1, imgs) or imgs <= 1, f'{chars}/{imgs}')
    # DKIM
    try:
        import dkim
        zone = {p[0].rstrip('.').lower() + '.': p[2].strip().encode() for p in (l.split(None, 2) for l in pathlib.Path(E('ZONE')).read_text().splitlines()) if len(p) == 3 and p[1] == 'TXT'} if E('ZONE') else None
    except ImportError: zone = None
    sigs = [s for s in msg.get_all('DKIM-Signature') or []]
    must('DKIM-Signature present', sigs, len(sigs))
    for i, s in enumerate(sigs):
        s = re.sub(r'\s+', '', str(s)); tag = dict(x.split('=', 1) for x in s.split(';') if '=' in x)
        h = tag.get('h', '').lower().split(':')
        must(f'DKIM {i} d= aligned with From', org(tag.get('d', '')) == org(fdom), tag.get('d'))
        must(f'DKIM {i} not sha1, no l=', 'sha1' not in tag.get('a', '') and 'l' not in tag, tag.get('a'))
        must(f'DKIM {i} signs from to subject date message-id mime-version content-type', {'from', 'to', 'subject', 'date', 'message-id', 'mime-version', 'content-type'} <= set(h))
        must(f'DKIM {i} signs both List-Unsubscribe headers (8058-4)', {'list-unsubscribe', 'list-unsubscribe-post'} <= set(h))
        should(f'DKIM {i} oversigns from (6376-8.15)', h.count('from') >= 2)
        if zone is not None:
            f = lambda n, timeout=5: zone.get((n.decode() if isinstance(n, bytes) else n).lower())
            try: ok = dkim.DKIM(raw).verify(idx=i, dnsfunc=f)
            except Exception as e: ok = False
            must(f'DKIM {i} verifies ({tag.get("a")})', ok)
    return out


if __name__ == '__main__':
    worst = 0
    for p in sys.argv[1:]:
        rows = check(open(p, 'rb').read())
        bad = [r for r in rows if not r[2]]
        worst |= any(r[0] == 'MUST' for r in bad)
        print(f'{os.path.basename(p)}: {sum(r[2] for r in rows)}/{len(rows)} rows, {sum(r[0] == "MUST" for r in bad)} MUST failed')
        for lv, n, _o, note in bad: print(f'   {lv:6} {n}   [{note}]')
    sys.exit(worst)
