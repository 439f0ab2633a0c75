//! The rules of the code that a program can check: what each folder may use, and what is never written.
//!
//! It reads the source as text, so it sees code behind every `cfg`. To allow something new, change the table of the
//! rule that forbids it, and say why in the commit.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

/// Value crates: they compute, without time and I/O.
const DOMAIN_MAY_USE: &[&str] = &[
    "email_address",
    "icu_casemap",
    "icu_normalizer",
    "iso_currency",
    "jiff",
    "rlibphonenumber",
    "rust_decimal",
    "rust_iso3166",
    "serde",
    "thiserror",
    "uuid",
];

/// Crates that only these folders may use.
const KEPT_IN: &[(&str, &[&str])] = &[
    ("sqlx", &["store/"]),
    ("jiff_sqlx", &["store/"]),
    ("actix_web", &["http/", "ws/", "app.rs", "app/operators.rs"]),
    ("actix_http", &["http/connection/"]),
    ("actix_server", &["http/connection/"]),
    ("reqwest", &["http/forward/", "config/cluster.rs", "app.rs", "client/"]),
    ("tokio_tungstenite", &["client/", "ws/"]),
    ("redis", &["redis/", "lease/redis/"]),
    ("tracing_actix_web", &["http/", "ws/", "app.rs"]),
];

/// Handles of actors and channels: other modules call typed async methods instead.
const MAILBOXES: &[&str] = &["Addr", "Recipient", "WeakAddr", "mpsc"];
const MAILBOX_OWNERS: &[&str] = &["engine/", "writer/"];

/// Folders that must not know the kind of store or lease.
const BACKEND_BLIND: &[&str] = &["domain/", "engine/", "writer/", "events/", "search/", "http/", "ws/"];
const BACKENDS: &[&str] = &["store::sqlite", "store::postgres", "lease::single_node", "lease::redis"];

/// Folders and what they must not know: their users bring it.
const MUST_NOT_KNOW: &[(&str, &[&str])] = &[
    ("lease/", &["crate::app", "crate::config", "crate::engine", "crate::http", "crate::writer"]),
    (
        "redis/",
        &[
            "crate::app",
            "crate::config",
            "crate::domain",
            "crate::engine",
            "crate::http",
            "crate::lease",
            "crate::store",
        ],
    ),
];

const LONGEST_FILE: usize = 400;

/// One source file: its path below `src/` (or below the package), and its text.
struct Source {
    path: String,
    text: String,
}

impl Source {
    /// The lines that are compiled into the program, numbered from 1: without comments and without tests, which
    /// always stand at the end of a file or in a file of their own.
    fn code(&self) -> Vec<(usize, &str)> {
        if ["tests.rs", "properties.rs", "testing.rs"].iter().any(|name| self.path.ends_with(name)) {
            return Vec::new();
        }
        let lines = self.text.lines().take_while(|line| line.starts_with(' ') || !has_word(line, "mod tests"));
        lines.enumerate().map(|(index, line)| (index + 1, without_comment(line))).collect()
    }

    fn is_in(&self, places: &[&str]) -> bool {
        places.iter().any(|place| self.path.starts_with(place))
    }
}

fn without_comment(line: &str) -> &str {
    match line.find("//") {
        Some(at) if !line[..at].ends_with(':') && !line[..at].ends_with('"') => &line[..at],
        _ => line,
    }
}

fn package() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file below a folder of the package, in a fixed order.
fn sources(folder: &str) -> Vec<Source> {
    let root = package().join(folder);
    let mut files = Vec::new();
    collect(&root, &mut files);
    files.sort();
    let read = |file: PathBuf| {
        let path = file.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/");
        Source { path, text: fs::read_to_string(file).unwrap() }
    };
    files.into_iter().filter(|file| file.extension().is_some_and(|end| end == "rs")).map(read).collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.path() {
            path if path.is_dir() => collect(&path, files),
            path => files.push(path),
        }
    }
}

/// Whether a line contains a whole word.
fn has_word(line: &str, word: &str) -> bool {
    let part_of_a_word = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        !before.is_some_and(part_of_a_word) && !after.is_some_and(part_of_a_word)
    })
}

/// Whether a line names a crate as the root of a path.
fn names_crate(line: &str, name: &str) -> bool {
    let path = format!("{name}::");
    let root = |at: usize| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':')
    };
    line.match_indices(&path).any(|(at, _)| root(at)) || line.trim() == format!("use {name};")
}

/// The names of all dependencies, as Rust writes them.
fn dependencies() -> Vec<String> {
    let manifest = fs::read_to_string(package().join("Cargo.toml")).unwrap();
    let section = manifest.split("[dependencies]").nth(1).unwrap().split("\n[").next().unwrap();
    let name = |line: &str| Some(line.split_once('=')?.0.trim().replace('-', "_"));
    section.lines().filter(|line| !line.starts_with('#')).filter_map(name).collect()
}

/// Fails with every place that breaks a rule.
fn complain(rule: &str, breaches: Vec<String>) {
    let mut list = String::new();
    for breach in &breaches {
        let _ = writeln!(list, "  {breach}");
    }
    assert!(breaches.is_empty(), "{rule}:\n{list}");
}

/// Every line of code in these sources that breaks a rule.
fn breaches<'a>(sources: &'a [Source], objects: impl Fn(&'a Source, &str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources {
        for (number, line) in source.code() {
            if objects(source, line) {
                found.push(format!("src/{}:{number}: {}", source.path, line.trim()));
            }
        }
    }
    found
}

#[test]
fn the_domain_uses_only_values_and_itself() {
    let foreign: Vec<String> =
        dependencies().into_iter().filter(|name| !DOMAIN_MAY_USE.contains(&name.as_str())).collect();
    let outside = |line: &str| {
        let own = line.replace("crate::domain", "");
        own.contains("crate::") || foreign.iter().any(|name| names_crate(line, name))
    };
    let impure =
        |line: &str| ["std::fs", "std::net", "std::thread", "std::time", "async fn"].iter().any(|it| line.contains(it));
    let found = breaches(&sources("src"), |source, line| source.is_in(&["domain/"]) && (outside(line) || impure(line)));
    complain("domain/ is pure: std, value crates and itself", found);
}

#[test]
fn crates_stay_in_their_folders() {
    let sources = sources("src");
    for (name, rooms) in KEPT_IN {
        let found = breaches(&sources, |source, line| !source.is_in(rooms) && names_crate(line, name));
        complain(&format!("{name} is used in {rooms:?} only"), found);
    }
}

#[test]
fn no_address_and_no_channel_leaves_the_engine_and_the_writer() {
    let found = breaches(&sources("src"), |source, line| {
        !source.is_in(MAILBOX_OWNERS) && MAILBOXES.iter().any(|word| has_word(line, word))
    });
    complain("mailboxes belong to engine/ and writer/; others hold handles", found);
}

/// The submodules of `engine/` from bottom to top. Each may use those before it.
const ENGINE_LAYERS: &[&str] = &[
    "failpoint",
    "unknown_outcomes",
    "threads",
    "deadline",
    "message",
    "batch_loader",
    "claim_check",
    "idempotency",
    "cache",
    "directory",
    "shared",
    "ownership",
    "room_type",
    "revocation",
    "handle",
    "settings",
    "creation",
    "hotels",
    "start_recovery",
    "start",
];
/// The directory keeps addresses of the actor type. That is the only circle, and only a type name.
const ENGINE_CIRCLES: &[(&str, &str)] = &[("directory", "room_type")];

/// The `use` declarations of a source that begin with a path, each on one line.
fn uses_of(source: &Source, path: &str) -> Vec<String> {
    let code: Vec<&str> = source.code().into_iter().map(|(_, line)| line.trim()).collect();
    let start = format!("use {path}::");
    code.join(" ").split(';').filter_map(|item| Some(item[item.find(&start)?..].to_owned())).collect()
}

#[test]
fn submodules_of_the_engine_depend_on_each_other_in_one_direction() {
    let rank = |name: &str| ENGINE_LAYERS.iter().position(|layer| *layer == name);
    let (mut found, mut count) = (Vec::new(), 0);
    for source in sources("src/engine").iter().filter(|source| source.path != "mod.rs") {
        let name = source.path.split('/').next().unwrap().trim_end_matches(".rs");
        let Some(own) = rank(name) else {
            found.push(format!("src/engine/{} is not in the list of layers", source.path));
            continue;
        };
        let is_nested = source.path.contains('/') && !source.path.ends_with("/mod.rs");
        let uses = if is_nested { Vec::new() } else { uses_of(source, "super") };
        for item in uses.into_iter().chain(uses_of(source, "crate::engine")) {
            let used = ENGINE_LAYERS.iter().filter(|layer| **layer != name && has_word(&item, layer));
            for used in used.filter(|used| !ENGINE_CIRCLES.contains(&(name, used))) {
                count += 1;
                if rank(used) > Some(own) {
                    found.push(format!("src/engine/{}: {item}", source.path));
                }
            }
        }
    }
    assert!(count > 30, "the uses are found: {count}");
    complain("submodules of the engine use only those below them", found);
}

#[test]
fn no_module_depends_on_the_kind_of_store_or_lease() {
    let found = breaches(&sources("src"), |source, line| {
        source.is_in(BACKEND_BLIND) && BACKENDS.iter().any(|backend| line.contains(backend))
    });
    complain("concrete backends meet in app.rs", found);
}

#[test]
fn what_others_build_on_does_not_know_them() {
    let sources = sources("src");
    for (folder, unknown) in MUST_NOT_KNOW {
        let found = breaches(&sources, |source, line| {
            source.is_in(&[folder]) && unknown.iter().any(|module| line.contains(module))
        });
        complain(&format!("{folder} does not know {unknown:?}"), found);
    }
}

#[test]
fn no_open_task_and_no_ignored_test_is_left() {
    // Put together here, so that this file passes.
    let words = [("TO", "DO"), ("FIX", "ME"), ("db", "g!"), ("unimplemented", "!"), ("to", "do!"), ("#[ign", "ore")];
    let words = words.map(|(one, two)| format!("{one}{two}"));
    let mut found = Vec::new();
    for folder in ["src", "tests", "benches", "examples"] {
        for source in sources(folder) {
            for (number, line) in source.text.lines().enumerate() {
                if words.iter().any(|word| line.contains(word.as_str())) {
                    found.push(format!("{folder}/{}:{}: {}", source.path, number + 1, line.trim()));
                }
            }
        }
    }
    complain("finished code only", found);
}

#[test]
fn files_are_short() {
    let long = |source: &Source| {
        let lines = source.text.lines().count();
        (lines > LONGEST_FILE).then(|| format!("src/{}: {lines} lines", source.path))
    };
    complain("at most 400 lines a file", sources("src").iter().filter_map(long).collect());
}

#[test]
fn every_module_says_what_it_is() {
    let silent = |source: &Source| {
        let is_a_door = ["mod.rs", "lib.rs", "main.rs"].iter().any(|name| source.path.ends_with(name));
        (is_a_door && !source.text.starts_with("//!")).then(|| format!("src/{}", source.path))
    };
    complain("a module begins with //!", sources("src").iter().filter_map(silent).collect());
}

#[test]
fn the_program_does_not_panic_by_choice() {
    // The print macros panic when the reader has closed the output.
    let calls = [".unwrap()", ".expect(", ".unwrap_err()", "println!", "print!"];
    let found = breaches(&sources("src"), |_, line| calls.iter().any(|call| line.contains(call)));
    complain("an outsider or a full disk must not end an actor", found);
}

/// The file names of one kind of migrations, in order; none if there is no such folder.
fn migrations(store: &str) -> Vec<String> {
    let mut files = Vec::new();
    collect(&package().join("migrations").join(store), &mut files);
    let name = |file: &PathBuf| file.file_name().unwrap().to_string_lossy().into_owned();
    let mut names: Vec<String> = files.iter().map(name).collect();
    names.sort();
    names
}

#[test]
fn migrations_are_numbered_from_one_without_a_gap() {
    for store in ["sqlite", "postgres"] {
        for (index, name) in migrations(store).iter().enumerate() {
            let number = name.split('_').next().unwrap().parse::<usize>();
            assert_eq!(number, Ok(index + 1), "migrations/{store}/{name}");
        }
    }
}

#[test]
fn migrations_of_two_stores_are_twins() {
    let (sqlite, postgres) = (migrations("sqlite"), migrations("postgres"));
    assert_eq!(sqlite, postgres);
}

/// What has landed is never edited: a database remembers every step as it was when it was taken, and is refused by a
/// program that knows the step otherwise. A new step gets its line here, `sha256sum migrations/*/*`, once it is final.
const LANDED: &[(&str, &str)] = &[
    ("postgres/0001_ledger.sql", "dd351ef2d853ce2fd40d4ae4d0a9db9f568098d9affc493c60678ac89603fdf2"),
    ("postgres/0002_rooms.sql", "16b12a294b1fab2dde9ca9f2b944392ca8a682d6a56c2cd3d41c1a47d2de8246"),
    ("postgres/0003_forced_nights.sql", "1ff7269bcb4f83b087022dff7f9cf0a181c66dfcbd579e9d3a859e80e7086a5c"),
    ("postgres/0004_name_keys.sql", "fdac4932cdc813aea4d1719a57eb4a59653c2e092e1d771b192ffea008d44c4d"),
    ("postgres/0005_shown_calendars.sql", "4d68c655fa10042b11ffc4bebd09abe78540d92243a89b10faa76d7297f471ec"),
    ("postgres/0006_general_records.sql", "7ea67533b010e41f29f319d09ec810be75f7acde51f3b51dd6a7698f115f8eb0"),
    ("postgres/0007_members.sql", "7ee7694c5b31854d0bb30d6de03e1d4c3ec1d2e1f83727d31d2f84f209ead384"),
    ("sqlite/0001_ledger.sql", "ca801fc5fb1c5e937e71e8c3fc62591f395b8bf58eb12a0ff375a560316cef07"),
    ("sqlite/0002_rooms.sql", "11740d4a8779c9e88837145f92f3627d4cc05b12aa4fed0884622b1d53bc730a"),
    ("sqlite/0003_forced_nights.sql", "caabfbe35102911ec485cfc429094567ce8a3fd40ecd74a9876980ffda7fc905"),
    ("sqlite/0004_name_keys.sql", "5b06cf4fd89337f4f58ed0e8fbae4d89d4fa6e4f16d22f0e9715a63f17a9e4ad"),
    ("sqlite/0005_shown_calendars.sql", "75228ff2a4cbced0bfbf4cd977e6c4dc171f1c8b9adc8212a17a9365189c62c5"),
    ("sqlite/0006_general_records.sql", "d6b830a270ba9da7a74f9d3ab747d426f93adccc034fd991f0bdbb4e1bbe5a1e"),
    ("sqlite/0007_members.sql", "170f57c620767be1b1484e4741d0a44977aa4850818e8dc52e0e4fe664b60588"),
];

#[test]
fn migrations_that_have_landed_are_not_edited() {
    let digest = |path: String| {
        let text = fs::read(package().join("migrations").join(&path)).unwrap();
        (path, HEXLOWER.encode(&Sha256::digest(text)))
    };
    let names = |store: &'static str| migrations(store).into_iter().map(move |name| format!("{store}/{name}"));
    let found: Vec<_> = ["postgres", "sqlite"].into_iter().flat_map(names).map(digest).collect();
    let landed: Vec<_> = LANDED.iter().map(|(path, digest)| ((*path).to_owned(), (*digest).to_owned())).collect();
    assert_eq!(found, landed, "add a step instead of editing one that has landed");
}

/// Permissive licences. Of several alternatives one is enough; all licences joined by AND are needed.
const LICENCES: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Zlib",
];

/// Whether an SPDX expression, or an old one with a slash, needs no more than [`LICENCES`].
fn is_permissive(expression: &str) -> bool {
    let all = |alternative: &str| {
        alternative.split(" AND ").all(|licence| LICENCES.contains(&licence.trim_matches(['(', ')', ' '])))
    };
    // "(A OR B) AND C" is a choice and a second licence.
    let demands = expression.split(") AND ").flat_map(|part| part.split(" AND ("));
    demands.into_iter().all(|demand| demand.replace('/', " OR ").split(" OR ").any(all))
}

#[test]
fn licence_expressions_are_parsed() {
    for fine in ["MIT", "MIT/GPL-3.0", "Apache-2.0 OR LGPL-2.1", "(MIT OR GPL-2.0) AND Unicode-3.0", "MIT AND ISC"] {
        assert!(is_permissive(fine), "{fine}");
    }
    for viral in
        ["GPL-3.0", "MPL-2.0", "", "MIT AND GPL-2.0", "(MIT OR Apache-2.0) AND LGPL-3.0", "AGPL-3.0 OR GPL-3.0"]
    {
        assert!(!is_permissive(viral), "{viral}");
    }
}

#[test]
fn no_dependency_has_a_viral_licence() {
    let arguments = ["tree", "--locked", "--edges", "normal,build", "--prefix", "none", "--format", "{p}|{l}"];
    let tree = Command::new(env!("CARGO")).args(arguments).current_dir(package()).output().unwrap();
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let listed = String::from_utf8(tree.stdout).unwrap();
    let crates: BTreeSet<&str> = listed.lines().filter(|line| !line.is_empty()).collect();
    assert!(crates.len() > 100, "cargo tree lists every dependency");
    let viral = |line: &&str| {
        let licence = line.rsplit_once('|').map_or("", |(_, licence)| licence);
        !is_permissive(licence.trim_end_matches(" (*)"))
    };
    complain("permissive licences only", crates.into_iter().filter(viral).map(str::to_owned).collect());
}

#[test]
fn every_background_task_is_documented() {
    let page = fs::read_to_string(package().join("docs/operations.md")).unwrap();
    let starts = ["tasks.spawn(\"", "supervise(\""];
    let name = |line: &str| {
        let (_, rest) = starts.iter().find_map(|start| line.split_once(start))?;
        rest.split_once('"').map(|(name, _)| name.to_owned())
    };
    let sources = sources("src");
    assert!(breaches(&sources, |_, line| name(line).is_some()).len() > 8, "tasks are started by name");
    let undocumented =
        breaches(&sources, |_, line| name(line).is_some_and(|name| !page.contains(&format!("`{name}`"))));
    complain("every background task is in docs/operations.md", undocumented);
}

/// Splits the tree of a `use` declaration into its paths: `a::{b, c::d}` into `a::b` and `a::c::d`.
fn paths_of(tree: &str) -> Vec<String> {
    let Some((root, rest)) = tree.split_once('{') else { return vec![tree.trim().to_owned()] };
    let (mut paths, mut depth, mut start) = (Vec::new(), 0, 0);
    let branches = rest.trim_end().strip_suffix('}').unwrap_or(rest);
    for (at, letter) in branches.char_indices().chain([(branches.len(), ',')]) {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                let branch = paths_of(&branches[start..at]);
                paths
                    .extend(branch.iter().filter(|path| !path.is_empty()).map(|path| format!("{}{path}", root.trim())));
                start = at + 1;
            }
            _ => {}
        }
    }
    paths
}

#[test]
fn a_use_tree_is_split_into_paths() {
    assert_eq!(paths_of("super::code::Code"), ["super::code::Code"]);
    assert_eq!(paths_of("super::{a, b::{C, self},\n d}"), ["super::a", "super::b::C", "super::b::self", "super::d"]);
}

/// The text before a `use` declaration and its tree, if the item ends with one.
fn use_declaration(item: &str) -> Option<(&str, &str)> {
    let (before, tree) = item.split_once("use ")?;
    let line = before.lines().last().unwrap_or_default();
    ["", "pub"].contains(&line.trim()).then(|| (before, tree.trim_end_matches(';')))
}

/// Every path that a source names, in `use` declarations and elsewhere.
fn named_paths(source: &Source) -> Vec<String> {
    let code: String = source.code().into_iter().map(|(_, line)| format!("{line}\n")).collect();
    let (mut paths, mut rest) = (Vec::new(), String::new());
    for item in code.split_inclusive(';') {
        let (before, tree) = use_declaration(item).unwrap_or((item, ""));
        rest.push_str(before);
        paths.extend(paths_of(tree));
    }
    let part_of_a_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    paths.extend(rest.split(|c| !part_of_a_path(c)).map(str::to_owned));
    paths
}

/// The submodule of `http` that a path leads to from a file below `src/http`.
fn submodule_of_http(file: &str, path: &str) -> Option<String> {
    let depth = file.trim_end_matches(".rs").trim_end_matches("/mod").split('/').count();
    let below = path.strip_prefix("crate::http::").or_else(|| path.strip_prefix("super::".repeat(depth).as_str()))?;
    below.split("::").next().map(str::to_owned)
}

#[test]
fn submodules_of_http_depend_on_each_other_in_one_direction() {
    let sources = sources("src/http");
    let top = |path: &str| path.split('/').next().unwrap().trim_end_matches(".rs").to_owned();
    let names: BTreeSet<String> = sources.iter().map(|source| top(&source.path)).filter(|name| name != "mod").collect();
    let mut uses: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for source in sources.iter().filter(|source| source.path != "mod.rs") {
        for path in named_paths(source) {
            let Some(used) = submodule_of_http(&source.path, &path).filter(|used| names.contains(used)) else {
                continue;
            };
            let place = format!("src/http/{} uses {path}", source.path);
            uses.entry(top(&source.path)).or_default().entry(used).or_insert(place);
        }
    }
    uses.iter_mut().for_each(|(name, used)| drop(used.remove(name)));
    assert!(uses.len() > 15 && uses["extract"].contains_key("problem"), "the uses are found: {uses:?}");
    // Removes submodules that use no other or that no other uses, until only circles are left.
    loop {
        let present: BTreeSet<String> = uses.keys().cloned().collect();
        let used: BTreeSet<String> = uses.values().flat_map(|used| used.keys().cloned()).collect();
        uses.retain(|name, others| used.contains(name) && others.keys().any(|other| present.contains(other)));
        if uses.len() == present.len() {
            break;
        }
    }
    let circle = uses.values().flatten().filter(|(used, _)| uses.contains_key(*used)).map(|(_, place)| place.clone());
    complain("submodules of http use each other in a circle", circle.collect());
}

/// Folders with JavaScript or TypeScript: the test of a generated client. The server has no script of its own yet;
/// Swagger UI is part of its crate.
const SCRIPTS_MAY_BE_IN: &[&str] = &["tests/clients/"];

#[test]
fn there_is_no_javascript_outside_its_place() {
    let mut files = Vec::new();
    for entry in fs::read_dir(package()).unwrap().flatten() {
        match entry.path() {
            path if path.ends_with("target") || path.ends_with(".git") => {}
            path if path.is_dir() => collect(&path, &mut files),
            path => files.push(path),
        }
    }
    let is_script = |path: &PathBuf| {
        path.extension().is_some_and(|end| ["js", "mjs", "cjs", "ts", "jsx", "tsx"].iter().any(|script| end == *script))
    };
    let names = files
        .iter()
        .filter(|path| is_script(path))
        .map(|path| path.strip_prefix(package()).unwrap().display().to_string());
    let misplaced = names.filter(|name| !SCRIPTS_MAY_BE_IN.iter().any(|place| name.starts_with(place)));
    complain(&format!("scripts are in {SCRIPTS_MAY_BE_IN:?} only"), misplaced.collect());
    let inline = breaches(&sources("src"), |_, line| line.contains("<script"));
    complain("no script within Rust", inline);
}

#[test]
fn the_readme_is_short() {
    let lines = fs::read_to_string(package().join("README.md")).unwrap().lines().count();
    assert!(lines <= 150, "README.md has {lines} lines; details belong into docs/");
}
