//! For each word of the language at least one way to misuse it: where the refusal points, and what it says. The protocol of a
//! post office (`tests/data/post`) has every word for streams, once right; that of stored records is the built-in one.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::{Folder, HERE};

/// A misuse: the word, what stands in `protocol.toml`, what is written instead, with [`HERE`] before the place of the refusal,
/// and what the refusal says.
type Misuse = (&'static str, &'static str, &'static str, &'static str);

const OF_STREAMS: &[Misuse] = &[
    // ---- the head
    ("head name", "name       = \"post\"", "name       = ▸\"\"", "this protocol has no name"),
    (
        "head name",
        "name       = \"post\"",
        "name       = ▸[\"post\"]",
        "`name` must be a string, but is of the type array",
    ),
    ("head title", "title      = \"A post office\"", "▸titel      = \"A post office\"", "there is no key `titel` here"),
    ("head version", "version    = \"1\"", "version    = ▸1", "`version` must be a string, but is of the type integer"),
    (
        "head source",
        "source     = \"The rules of the post office\"",
        "source     = ▸true",
        "`source` must be a string, but is of the type boolean",
    ),
    (
        "head rule-pages",
        "rule-pages = \"https://example.com/rules#\"",
        "rule-pages = ▸\"example.com/rules#\"",
        "`rule-pages` is not the beginning of an address",
    ),
    // ---- [event]
    ("[event] type", "type        = \"/type\"", "type        = ▸\"type\"", "type is not a JSON Pointer"),
    (
        "[event] type",
        "type        = \"/type\"",
        "type        = ▸\"/kind\"",
        "none of the event types has a field /kind",
    ),
    ("[event] type", "type        = \"/type\"", "▸typ         = \"/type\"", "there is no key `typ` here"),
    (
        "[event] time",
        "time        = \"/at\"",
        "time        = ▸\"/stamp\"",
        "error, letter.written and 5 others have no field /stamp",
    ),
    (
        "[event] stream",
        "time        = \"/at\"",
        "time        = \"/at\"\nstream      = ▸[\"/office\"]",
        "`stream` must be a string, but is of the type array",
    ),
    (
        "[event] unwrap",
        "unwrap      = [\"/data\"]",
        "unwrap      = ▸\"/data\"",
        "`unwrap` must be a list of strings, but is of the type string",
    ),
    (
        "[event] event-field",
        "event-field = true",
        "event-field = ▸\"yes\"",
        "`event-field` must be a boolean, but is of the type string",
    ),
    (
        "[event] unknown",
        "unknown     = \"unknown-event\"",
        "unknown     = ▸\"unknown-envelope\"",
        "there is no rule unknown-envelope",
    ),
    // ---- [[type]]
    ("[[type]] name", "name = \"done\"", "name = ▸\"*\"", "no type can be called *"),
    ("[[type]] text", "text = \"[DONE]\"", "text = ▸\"[]\"", "this text is JSON"),
    (
        "[[type]] text",
        "text = \"[DONE]\"",
        "text = ▸\" [DONE]\"",
        "a text that is an event has one line, and no space around it",
    ),
    (
        "[[type]] text",
        "[[type]]\nname = \"done\"\ntext = \"[DONE]\"",
        "▸[[type]]\nname = \"done\"",
        "a `[[type]]` needs either `text` or `has`",
    ),
    ("[[type]] has", "has  = \"/error\"", "has  = ▸\"/fault\"", "error has no field /fault"),
    ("[[type]] has", "has  = \"/error\"", "has  = ▸\"\"", "`has` points at the whole event"),
    // ---- [[lifecycle]]
    (
        "[[lifecycle]] name",
        "name   = \"sheet\"",
        "name   = ▸\" sheet\"",
        "the name of this lifecycle has characters that are not seen",
    ),
    ("[[lifecycle]] name", "name   = \"sheet\"", "name   = ▸\"office\"", "there are two lifecycles office"),
    (
        "[[lifecycle]] within",
        "name   = \"letter\"\nwithin = \"office\"",
        "name   = \"letter\"\nwithin = ▸\"sheet\"",
        "there is no lifecycle sheet before this one",
    ),
    (
        "[[lifecycle]] states",
        "\"there\", \"sealed\"]",
        "\"there\", ▸\"there\", \"sealed\"]",
        "the state there stands twice",
    ),
    (
        "[[lifecycle]] states",
        "\"there\", \"sealed\"]",
        "\"there\", \"sealed\", ▸\"lost\"]",
        "nothing leads into the state lost",
    ),
    ("[[lifecycle]] opens", "opens   = \"open\"", "opens   = ▸\"opened\"", "the lifecycle office has no state opened"),
    (
        "[[lifecycle]] resumes",
        "resumes = \"resting\"",
        "resumes = [▸\"rests\"]",
        "the lifecycle office has no state rests",
    ),
    (
        "[[lifecycle]] keyed",
        "name   = \"sheet\"\nwithin = \"letter\"\nkeyed  = \"parent\"",
        "name   = \"sheet\"\nwithin = \"letter\"\nkeyed  = ▸\"letter\"",
        "`keyed` cannot be \"letter\"",
    ),
    (
        "[[lifecycle]] entered",
        "entered = { open = \"the office opened here\" }",
        "entered = { open = ▸\" \" }",
        "`entered` is empty",
    ),
    (
        "[[lifecycle]] entered",
        "entered = { open = \"the office opened here\" }",
        "entered = { ▸opened = \"the office opened here\" }",
        "the lifecycle office has no state opened",
    ),
    (
        "[[lifecycle]] row",
        "[[lifecycle.row]]\non   = \"office.opened\"\ncell",
        "[[lifecycle.▸rows]]\non   = \"office.opened\"\ncell",
        "there is no key `rows` here",
    ),
    (
        "[[lifecycle]] end",
        "open = { rule = \"left-open\", at = \"entry\", wire = \"sse\" }",
        "open = { rule = ▸\"left-opened\", at = \"entry\", wire = \"sse\" }",
        "there is no rule left-opened",
    ),
    (
        "[[lifecycle]] end",
        "at = \"entry\", wire = \"sse\" }",
        "at = \"entry\", wire = ▸\"ndjson\" }",
        "`wire` cannot be \"ndjson\"",
    ),
    // ---- [[lifecycle.row]]
    ("[[lifecycle.row]] on", "on  = \"sheet.added\"", "on  = ▸[]", "`on` names no event type"),
    ("[[lifecycle.row]] on", "on  = \"sheet.added\"", "on  = ▸\"sheet.aded\"", "there is no event type sheet.aded"),
    (
        "[[lifecycle.row]] when",
        "when = { \"/early\" = true }",
        "when = { ▸\"/early\" = \"true\" }",
        "office.closed never has /early = \"true\"",
    ),
    (
        "[[lifecycle.row]] when",
        "when = { \"/early\" = true }",
        "when = { ▸\"/count\" = { present = false } }",
        "/count is in every valid office.closed",
    ),
    (
        "[[lifecycle.row]] when",
        "when = { \"/early\" = true }",
        "when = { ▸\"/count\" = { empty = true } }",
        "/count of office.closed is never empty",
    ),
    (
        "[[lifecycle.row]] when",
        "when = { \"/early\" = true }",
        "when = { ▸\"/notice\" = 3 }",
        "office.closed never has /notice = 3",
    ),
    (
        "[[lifecycle.row]] when",
        "when = { \"/early\" = true }",
        "when = { ▸\"/notice\" = [] }",
        "no value of /notice is listed, so nothing fits",
    ),
    (
        "[[lifecycle.row]] when",
        "when = { \"/early\" = true }",
        "when = { ▸\"\" = true }",
        "office.closed never has \"\" = true",
    ),
    (
        "[[lifecycle.row]] before",
        "before = { office = [\"open\", \"resting\"] }",
        "before = { ▸sheet = \"there\" }",
        "there is no lifecycle sheet before this one",
    ),
    (
        "[[lifecycle.row]] after",
        "after = { office = \"open\" }\nkey",
        "after = { office = ▸\"opened\" }\nkey",
        "the lifecycle office has no state opened",
    ),
    ("[[lifecycle.row]] unless", "unless = \"gone\"", "unless = ▸\"lost\"", "the lifecycle letter has no state lost"),
    (
        "[[lifecycle.row]] key",
        "key    = \"/letter\"\nkeep",
        "key    = ▸\"/stamp\"\nkeep",
        "/stamp of letter.opened is never a string or a number: its schema allows object",
    ),
    (
        "[[lifecycle.row]] key",
        "after = { office = \"open\" }\nkey   = \"/letter\"",
        "after = { office = \"open\" }\nkey   = [▸\"/letter\", \"/from\"]",
        "this key has 2 parts, but the first one of the lifecycle has 1",
    ),
    (
        "[[lifecycle.row]] parent",
        "parent = \"/letter\"",
        "parent = [▸\"/letter\", \"/from\"]",
        "`parent` has 2 parts, but the key of the lifecycle around has 1",
    ),
    (
        "[[lifecycle.row]] each",
        "on    = \"post.sent\"\neach  = { at = \"/letters\"",
        "on    = \"post.sent\"\neach  = { at = ▸\"/count\"",
        "/count of post.sent is never an array: its schema allows integer",
    ),
    (
        "[[lifecycle.row]] each",
        "when = { \"/by\" = \"train\" } }",
        "when = { ▸\"/by\" = \"ship\" } }",
        "post.sent never has /by = \"ship\"",
    ),
    (
        "[[lifecycle.row]] same",
        "{ kept = \"sender\", at",
        "{ kept = ▸\"sendr\", at",
        "no row of this lifecycle keeps a sendr",
    ),
    (
        "[[lifecycle.row]] same",
        "except = [\"/printed\"]",
        "except = [▸\"/printed/by\"]",
        "`/printed/by` is no member of the object itself",
    ),
    ("[[lifecycle.row]] same", "in = [\"written\"]", "in = [▸\"writen\"]", "the lifecycle letter has no state writen"),
    (
        "[[lifecycle.row]] order",
        "order = { kept = \"place\"",
        "order = { kept = ▸\"palce\"",
        "no row of this lifecycle keeps a palce",
    ),
    ("[[lifecycle.row]] keep", "place = \"/number\"", "place = ▸\"/place\"", "letter.opened has no field /place"),
    (
        "[[lifecycle.row]] cell",
        "cell.absent = \"there\"",
        "cell.absent = { ▸rul = \"sheet-twice\", to = \"there\" }",
        "there is no key `rul` here",
    ),
    (
        "[[lifecycle.row]] cell",
        "cell.absent = \"there\"",
        "cell.absent = { rule = \"sheet-twice\", to = ▸\"their\" }",
        "the lifecycle sheet has no state their",
    ),
    ("[[lifecycle.row]] cell", "cell.absent = \"there\"", "cell.absent = ▸{ to = \"there\" }", "this cell has no rule"),
    (
        "[[lifecycle.row]] cell",
        "cell.else   = { rule = \"sheet-twice\" }",
        "cell.else   = { rule = \"sheet-twice\", at = ▸\"entry\" }",
        "this lifecycle has keys, and therefore no single event that led into a state",
    ),
    (
        "[[lifecycle.row]] others",
        "others.closed = { rule = \"letter-forgotten\"",
        "others.closed = { rule = ▸\"letter-forgoten\"",
        "there is no rule letter-forgoten",
    ),
    (
        "[[lifecycle.row]] others",
        "keep   = { sender",
        "others.▸written = \"gone\"\nkeep   = { sender",
        "`others` is for what the items of an array do not name, and this row is over none",
    ),
    // ---- [[text]]
    ("[[text]] name", "name   = \"notice\"", "name   = ▸\"\"", "this text has no name"),
    (
        "[[text]] within",
        "name   = \"notice\"",
        "name   = \"notice\"\nwithin = ▸\"notice\"",
        "there is no lifecycle notice before this one",
    ),
    (
        "[[text]] key",
        "key    = \"/letter\"\nbegan",
        "key    = ▸\"/leter\"\nbegan",
        "letter.written has no field /leter",
    ),
    (
        "[[text]] began",
        "began  = \"the letter began here\"",
        "began  = ▸\"the letter {key} began here\"",
        "`began` is shown as it is written, with {key}",
    ),
    (
        "[[text]] append",
        "append = { on = \"letter.written\"",
        "append = { on = ▸\"*\"",
        "`*` stands for no event types here",
    ),
    (
        "[[text]] append",
        "append = { on = \"office.noted\", at = \"/text\"",
        "append = { on = \"office.noted\", at = ▸\"/count\"",
        "/count of office.noted is never a string: its schema allows integer",
    ),
    (
        "[[text]] cut",
        "cut    = [{ on = \"office.opened\" }]",
        "cut    = ▸{ on = \"office.opened\" }",
        "`cut` must be a list of tables, but is of the type table",
    ),
    (
        "[[text]] whole",
        "at = \"/text\", rule = \"text-differs\", ends = true }",
        "at = \"/text\", ▸end = true, rule = \"text-differs\" }",
        "there is no key `end` here",
    ),
    (
        "[[text]] whole",
        "rule = \"notice-differs\", empty",
        "rule = \"notice-differs\", ends = ▸true, empty",
        "the only whole of a text ends it",
    ),
    ("[[text]] json", "is = \"object\"", "is = ▸\"array\"", "`is` cannot be \"array\""),
    (
        "[[text]] no-pieces",
        "name   = \"notice\"",
        "name   = \"notice\"\nno-pieces = ▸\"text-not-written\"",
        "`no-pieces` is for a text with a list of wholes",
    ),
    // ---- [[time]]
    ("[[time]] rule", "rule = \"clock-went-back\"", "rule = ▸\"clock-goes-back\"", "there is no rule clock-goes-back"),
    ("[[time]] rule", "time        = \"/at\"\n", "", "no field holds the time"),
    // ---- [[check]]
    ("[[check]] on", "on   = \"letter.opened\"\nwhen", "on   = ▸\"*\"\nwhen", "`*` stands for no event types here"),
    ("[[check]] at", "at   = \"/weight\"", "at   = ▸\"/wait\"", "letter.opened has no field /wait"),
    (
        "[[check]] when",
        "when = { \"/number\" = { present = true } }",
        "when = { ▸\"/letter\" = { present = false } }",
        "/letter is in every valid letter.opened",
    ),
    (
        "[[check]] each",
        "each = { at = \"/letters\", when = { \"/by\" = { says = [\"balloon\"] } } }\nat",
        "each = { at = \"/letters\", when = { ▸\"/by\" = { says = [\"baloon\"] } } }\nat",
        "no /by of post.sent reads \"baloon\"",
    ),
    (
        "[[check]] is",
        "at   = \"/weight\"\nis   = { below = 0.0 }",
        "at   = ▸\"/letter\"\nis   = { below = 0.0 }",
        "/letter of letter.opened is never a number: its schema allows string",
    ),
    (
        "[[check]] is",
        "is   = { below = 0.0 }",
        "is   = ▸{ below = 0.0, says = [\"light\"] }",
        "there must be exactly one of the keys says, same-as, below, beside here",
    ),
    (
        "[[check]] rule",
        "rule = \"by-balloon\"\n\n[[unch",
        "rule = ▸[\"by-balloon\"]\n\n[[unch",
        "`rule` must be a string, but is of the type array",
    ),
    // ---- [[unchanged]]
    (
        "[[unchanged]] on",
        "on     = \"office.noted\"\nat",
        "on     = ▸[\"office.noted\"]\nat",
        "`on` must be a string, but is of the type array",
    ),
    (
        "[[unchanged]] at",
        "at     = [\"/text\", \"/until\"]",
        "at     = [\"/text\", ▸\"/untill\"]",
        "office.noted has no field /untill",
    ),
    (
        "[[unchanged]] within",
        "within = \"office\"\nrule   = \"noted-twice\"",
        "within = ▸\"letter\"\nrule   = \"noted-twice\"",
        "letter has keys, and one event is about several of its instances",
    ),
    ("[[unchanged]] rule", "rule   = \"noted-twice\"", "▸rules  = \"noted-twice\"", "there is no key `rules` here"),
    // ---- [[series]]
    (
        "[[series]] values",
        "values   = [{ on = \"*\", at = \"/count\" }]",
        "values   = [{ on = ▸\"*\", at = \"/counter\" }]",
        "no other event type has /counter",
    ),
    ("[[series]] step", "step     = 1", "step     = ▸\"one\"", "`step` is no step of a series"),
    ("[[series]] step", "step     = 1", "step     = ▸0", "a step is at least 1"),
    ("[[series]] from", "from     = 1", "from     = ▸\"1\"", "`from` is no first value of a series"),
    (
        "[[series]] within",
        "within = \"letter\"\nstep",
        "within = ▸\"leter\"\nstep",
        "there is no lifecycle leter before this one",
    ),
    (
        "[[series]] key",
        "key    = \"/letter\"\nwithin = \"letter\"\nstep",
        "within = ▸\"letter\"\nstep",
        "the key of this series has 0 parts, but that of letter has 1",
    ),
    (
        "[[series]] lost",
        "lost     = true",
        "lost     = ▸true\nkey      = \"/count\"",
        "a series that tells lost events has no `within` and no `key`",
    ),
    (
        "[[series]] restarts",
        "restarts = \"office.opened\"",
        "restarts = ▸\"office.open\"",
        "there is no event type office.open",
    ),
    (
        "[[series]] rule",
        "rule   = \"sheets-unordered\"",
        "rule   = ▸\"sheets-disordered\"",
        "there is no rule sheets-disordered",
    ),
    // ---- [rule]
    ("[rule] severity", "severity = \"warning\"", "severity = ▸\"warn\"", "`severity` cannot be \"warn\""),
    ("[rule] basis", "basis    = \"inference\"", "basis    = ▸\"upkep\"", "`basis` cannot be \"upkep\""),
    (
        "[rule] means",
        "means    = \"an office opens once a day\"",
        "means    = ▸\"an {office} opens once a day\"",
        "`means` is shown as it is written, with {office}",
    ),
    ("[rule] says", "says     = \"{event} came, but", "says     = ▸\"{evnt} came, but", "{evnt} stands for nothing"),
    (
        "[rule] says",
        "says     = \"{event} came, but",
        "says     = ▸\"{kept} came, but",
        "{kept} stands for nothing: a cell of a lifecycle without keys names the rule opened-twice, and there it has no value",
    ),
    (
        "[rule] help",
        "help     = \"close the office first\"",
        "help     = ▸\" \"",
        "the rule opened-twice has no words: `help` is empty",
    ),
    ("[rule] likely", "but {other} was\"", "but {others} was\"", "{others} stands for nothing"),
    ("[rule] likely", "but {other} was\"", "but another was\"", "`likely` does not name what was probably meant"),
    ("[rule] again", "again    = { says", "again    = { ▸say", "there is no key `say` here"),
    (
        "[rule] quotes",
        "quotes   = [\"An office opens once.\"]",
        "quotes   = [▸\"An office opens twice.\"]",
        "the document does not say this",
    ),
    (
        "[rule] quotes",
        "quotes   = [\"An office opens once.\"]",
        "quotes   = [▸\"opens\\nonce.\"]",
        "the document does not say this",
    ),
    (
        "[rule] fix",
        "insert = { type = \"office.closed\", count = 1",
        "insert = ▸{ type = \"office.close\", count = 1",
        "the inserted event has no known type: \"office.close\"",
    ),
    (
        "[rule] case",
        "[[rule.not-open.case]]",
        "▸[rule.not-open.case]",
        "`case` must be a list of tables, but is of the type table",
    ),
    (
        "[[rule.case]] on",
        "[[rule.not-open.case]]\non     = \"office.closed\"",
        "[[rule.not-open.case]]\non     = ▸\"office.close\"",
        "there is no event type office.close",
    ),
    (
        "[[rule.case]] on",
        "[[rule.not-open.case]]\non     = \"office.closed\"",
        "[[rule.not-open.case]]\non     = [\"office.closed\", ▸\"office.closed\"]",
        "office.closed already has its words in another case, or in this one",
    ),
    (
        "[[rule.case]] on",
        "[rule.letter-twice]",
        "[rule.invalid-json]\nseverity = \"error\"\nbasis = \"framing\"\nsays = \"{found}\"\nhelp = \"a\"\n\n\
         [[rule.invalid-json.case]]\non = ▸\"office.closed\"\nhelp = \"b\"\n\n[rule.letter-twice]",
        "invalid-json is a rule of the program, in other words: it has no cases",
    ),
    (
        "[[rule.case]] says",
        "says   = \"{event} came, but no office",
        "says   = ▸\"{key} came, but no office",
        "{key} stands for nothing: a cell of a lifecycle without keys names the rule not-open, and there it has no value",
    ),
    (
        "[[rule.case]] help",
        "help   = \"open the office in the morning\"",
        "help   = ▸\"\"",
        "the rule not-open has no words: `help` is empty",
    ),
    (
        "[[rule.case]] quotes",
        "quotes = [\"An office opens once.\"]",
        "quotes = [▸\"An office opens.\"]",
        "the document does not say this",
    ),
    (
        "[rule] name",
        "[rule.letter-twice]",
        "[rule.▸\"two words\"]\nseverity = \"error\"\nbasis = \"framing\"\nsays = \"a\"\nhelp = \"b\"\n\n[rule.letter-twice]",
        "the name of a rule has letters, digits, `-`, `_` and `.`, and nothing else",
    ),
];

#[test]
fn a_misuse_of_each_word_is_refused_where_it_is() {
    let post = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/post");
    Folder::copy_from(&post).loads();
    check_all(OF_STREAMS, || Folder::copy_from(&post));
}

const OF_RECORDS: &[Misuse] = &[
    (
        "[record] time",
        "[record]\ntime      = \"/timestamp\"",
        "[record]\ntime      = ▸\"/time\"",
        "none of the kinds of record has a field /time",
    ),
    ("[record] tolerance", "tolerance = 1.0", "tolerance = ▸-1.0", "times cannot be -1 seconds apart"),
    (
        "[record] stream",
        "stream    = \"/session_id\"",
        "stream    = ▸\"/session\"",
        "no kind of record has a field /session",
    ),
    ("[record] event", "event     = \"/payload\"", "event     = ▸\"payload\"", "payload is not a JSON Pointer"),
    (
        "[record] unknown",
        "unknown   = \"unknown-kind\"",
        "unknown   = ▸true",
        "`unknown` must be a string, but is of the type boolean",
    ),
    (
        "[record] broken",
        "broken    = \"broken-container\"",
        "▸brocken   = \"broken-container\"",
        "there is no key `brocken` here",
    ),
    (
        "[[kind]] name",
        "name    = \"event\"\nfiles",
        "name    = \"event\"\n\n[[kind]]\nname    = ▸\"event\"\nfiles",
        "there are two kinds event",
    ),
    (
        "[[kind]] files",
        "files   = [\"event*\"]",
        "files   = [▸\"event[\"]",
        "this is not a valid pattern: error parsing glob 'event[': unclosed character class; missing ']'",
    ),
    (
        "[[kind]] telling",
        "telling = [\"source_id\", \"category\"",
        "telling = [\"source_id\", ▸\"categories\"",
        "event has no field /categories",
    ),
    ("[[container]] name", "name  = \"page\"", "name  = ▸\"pages\"", "there is no schema of pages"),
    (
        "[[container]] known",
        "known = [[\"items\"], [\"page\", \"page_size\"]]",
        "known = ▸\"items\"",
        "`known` must be a list of lists, but is of the type string",
    ),
    ("[[container]] lists", "lists = { items = \"*\" }", "lists = { ▸item = \"*\" }", "page has no field /item"),
    ("[[container]] folder", "folder = true", "folder = ▸1", "`folder` must be a boolean, but is of the type integer"),
    (
        "[[check]] on",
        "on   = \"session\"\nat   = \"/duration\"",
        "on   = ▸\"page\"\nat   = \"/duration\"",
        "page is not a kind of record",
    ),
    ("[[check]] is", "is   = \"no-time-zone\"", "is   = ▸\"timezone\"", "`is` cannot be \"timezone\""),
    (
        "[[check]] is",
        "is   = { beside = \"/tool_result\" }",
        "is   = { beside = ▸\"/tool_results\" }",
        "session-action has no field /tool_results",
    ),
    ("[[link]] on", "on      = \"event\"", "on      = ▸\"events\"", "there is no schema of events"),
    (
        "[[link]] at",
        "on      = \"event\"\nat      = \"/session_id\"",
        "on      = \"event\"\nat      = ▸\"/sesion_id\"",
        "event has no field /sesion_id",
    ),
    ("[[link]] to", "to      = \"session\"", "to      = ▸\"page\"", "page is not a kind of record"),
    (
        "[[link]] key",
        "key     = \"/session_id\"",
        "key     = ▸\"/timestamp\"",
        "session is already named by /session_id",
    ),
    ("[[link]] label", "label   = \"the session's record\"", "label   = ▸\"\"", "`label` is empty"),
    (
        "[[link]] missing",
        "missing = \"orphan-event\"",
        "missing = ▸[]",
        "`missing` must be a string, but is of the type array",
    ),
    (
        "[[link.check]] is",
        "is   = { after = [\"/timestamp\", \"/duration\"] }",
        "is   = { after = ▸[\"/timestamp\"] }",
        "`after` must have 2 items, but has 1",
    ),
    (
        "[reconcile] started",
        "name = \"/payload/tool_name\"",
        "name = ▸\"tool_name\"",
        "tool_name is not a JSON Pointer",
    ),
    (
        "[reconcile] session",
        "session   = { kind = \"session\"",
        "session   = { kind = ▸\"sesion\"",
        "there is no schema of sesion",
    ),
    (
        "[reconcile] rules",
        "outcome           = \"action-outcome-mismatch\"",
        "▸outcomes          = \"action-outcome-mismatch\"",
        "there is no key `outcomes` here",
    ),
];

#[test]
fn a_misuse_of_each_word_for_records_is_refused_where_it_is() {
    check_all(OF_RECORDS, || Folder::copy_of("session-records"));
}

#[test]
fn tables_for_records_are_refused_in_a_protocol_of_streams() {
    let records = fs::read_to_string(super::schemas().join("session-records/protocol.toml")).expect("readable");
    let reconcile =
        records.split_once("[reconcile]").and_then(|(_, rest)| rest.split_once("# ---")).map(|(table, _)| table);
    let reconcile =
        format!("[reconcile]{}\n[[time]]\nrule = \"clock-went-back\"", reconcile.expect("it has the table"));
    let post = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/post");
    Folder::copy_from(&post)
        .edit("protocol.toml", "[[time]]\nrule = \"clock-went-back\"", &reconcile)
        .refusal("protocol.toml")
        .says("[reconcile] goes with [record], which this protocol does not have", "▸[reconcile]\n")
        .and_nothing_else(1);
}

/// Checks that each misuse has one refusal, which says this at this place.
fn check_all(misuses: &[Misuse], folder: impl Fn() -> Folder) {
    let mut wrong = Vec::new();
    for (word, from, to, says) in misuses {
        let (before, after) = to.split_once(HERE).unwrap_or(("", to));
        let written = [before, after].concat();
        let folder = folder().edit("protocol.toml", from, &written);
        let text = fs::read_to_string(folder.0.join("protocol.toml")).expect("readable");
        let found: Vec<String> = match sessionlint::load_protocol(&folder.0) {
            Ok(_) => vec!["it loads".to_owned()],
            Err(error) => error
                .problems()
                .iter()
                .map(|problem| format!("{}:{}: {}", problem.line(), problem.column(), problem.message()))
                .collect(),
        };
        let start = text.find(&written).unwrap_or_default() + before.len();
        let above = &text[..start];
        let (line, column) =
            (above.matches('\n').count() + 1, above.chars().rev().take_while(|c| *c != '\n').count() + 1);
        let is_right = match to.contains(HERE) {
            true => found == [format!("{line}:{column}: {says}")],
            false => matches!(found.as_slice(), [one] if one.ends_with(&format!(": {says}"))),
        };
        if !is_right {
            wrong.push(format!(
                "{word}: {to:?}\n  expected {line}:{column}: {says}\n  found    {}",
                found.join("\n           ")
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Returns the words of the tables under a heading of the language's page.
fn words_under(page: &str, heading: &str) -> Vec<String> {
    let section = page.split_once(&format!("\n{heading}\n")).map(|(_, rest)| rest).expect("the page has the heading");
    let section = section.split("\n## ").next().and_then(|part| part.split("\n### ").next()).unwrap_or_default();
    // A section may have a second table, for the values of a word.
    let table =
        section.lines().skip_while(|line| !line.starts_with("| key |")).take_while(|line| line.starts_with('|'));
    let cells = table.filter_map(|line| line.split('|').nth(1));
    cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).map(str::to_owned).collect()
}

#[test]
fn no_word_of_the_page_is_left_out() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/protocol-language.md");
    let page = fs::read_to_string(page).expect("readable");
    let misused: BTreeSet<String> = OF_STREAMS.iter().chain(OF_RECORDS).map(|(word, ..)| (*word).to_owned()).collect();
    let headings = [
        ("## The head", "head"),
        ("## `[event]`", "[event]"),
        ("### `[[type]]`", "[[type]]"),
        ("## `[[lifecycle]]`", "[[lifecycle]]"),
        ("### `[[lifecycle.row]]`", "[[lifecycle.row]]"),
        ("## `[[text]]`", "[[text]]"),
        ("## `[[check]]`", "[[check]]"),
        ("## `[[unchanged]]`", "[[unchanged]]"),
        ("## `[[series]]`", "[[series]]"),
        ("### `[record]`", "[record]"),
        ("### `[[kind]]`", "[[kind]]"),
        ("### `[[container]]`", "[[container]]"),
        ("### `[[link]]`", "[[link]]"),
        ("## `[rule.<name>]`", "[rule]"),
        ("### `[[rule.<name>.case]]`", "[[rule.case]]"),
    ];
    for (heading, table) in headings {
        let words = words_under(&page, heading);
        assert!(words.len() > 2, "{heading} has words: {words:?}");
        for word in words {
            assert!(misused.contains(&format!("{table} {word}")), "{table} {word} is misused nowhere");
        }
    }
}
