use std::path::Path;

use rstest::rstest;

use super::*;

/// A working folder with these files, and these variables.
fn sources(folder: &Path, files: &[(&str, &str)], variables: &[(&str, &str)]) -> Sources {
    for (name, text) in files {
        std::fs::write(folder.join(name), text).unwrap();
    }
    let variables = variables.iter().map(|(name, value)| (name.into(), value.into())).collect();
    Sources { folder: folder.to_owned(), variables, ..Sources::default() }
}

fn load(files: &[(&str, &str)], variables: &[(&str, &str)]) -> Result<Config, Error> {
    let folder = tempfile::tempdir().unwrap();
    Config::load(&sources(folder.path(), files, variables))
}

fn refusal(files: &[(&str, &str)], variables: &[(&str, &str)]) -> String {
    load(files, variables).unwrap_err().to_string()
}

#[test]
fn without_any_file_or_variable_the_defaults_hold() {
    let config = load(&[], &[]).unwrap();
    assert_eq!(config.database_url.expose(), "sqlite://innkeeper.db");
    assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.engine.hold_ttl, Duration::from_secs(900));
    assert_eq!(config.admin_token, None);
    assert_eq!(config.ws, ws::Options::default());
}

#[test]
fn each_layer_is_stronger_than_the_one_before() {
    let folder = tempfile::tempdir().unwrap();
    let file = ("innkeeper.toml", "mailbox = 2\nbatch = 2\nidle_secs = 2\nhold_ttl_secs = 2\n");
    let dotenv = (".env", "INNKEEPER_BATCH=3\nINNKEEPER_IDLE_SECS=3\nINNKEEPER_HOLD_TTL_SECS=3\nOTHER=1\n");
    let variables = [("INNKEEPER_IDLE_SECS", "4"), ("INNKEEPER_HOLD_TTL_SECS", "4"), ("HOME", "/")];
    let mut sources = sources(folder.path(), &[file, dotenv], &variables);
    sources.flags.insert("hold_ttl_secs", "5".into());
    let engine = Config::load(&sources).unwrap().engine;
    assert_eq!((engine.mailbox, engine.batch), (2, 3));
    assert_eq!((engine.idle_after.as_secs(), engine.hold_ttl.as_secs()), (4, 5));
}

#[test]
fn a_named_file_replaces_the_one_in_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let files = [("innkeeper.toml", "batch = 2"), ("other.toml", "batch = 3"), ("third.toml", "batch = 4")];
    let other = folder.path().join("other.toml");
    let mut sources = sources(folder.path(), &files, &[("INNKEEPER_CONFIG", other.to_str().unwrap())]);
    assert_eq!(Config::load(&sources).unwrap().engine.batch, 3);
    sources.file = Some(folder.path().join("third.toml"));
    assert_eq!(Config::load(&sources).unwrap().engine.batch, 4);
}

#[test]
fn a_file_that_is_named_must_be_there() {
    let message = refusal(&[], &[("INNKEEPER_CONFIG", "/nowhere/innkeeper.toml")]);
    assert!(message.starts_with("/nowhere/innkeeper.toml cannot be read:"), "{message}");
}

#[test]
fn an_unknown_key_is_refused_with_the_nearest_known_one() {
    let message = refusal(&[("innkeeper.toml", "listn = '127.0.0.1:1'")], &[]);
    assert!(message.contains("listn is not a setting") && message.contains("did you mean listen?"), "{message}");
    let message = refusal(&[], &[("INNKEEPER_DATABSE_URL", "sqlite://x.db")]);
    assert!(message.contains("did you mean INNKEEPER_DATABASE_URL?"), "{message}");
    let message = refusal(&[(".env", "INNKEEPER_ADMIN_TOKN=hush")], &[]);
    assert!(message.contains("did you mean INNKEEPER_ADMIN_TOKEN?") && !message.contains("hush"), "{message}");
}

#[rstest]
#[case("mailbox", "0", "must be a whole number from 1 to 65536, not \"0\"")]
#[case("mailbox", "99999999999999999999", "must be a whole number from 1 to 65536")]
#[case("batch", "many", "must be a whole number from 1 to 4096")]
#[case("hold_ttl_secs", "-1", "must be a number of seconds")]
#[case("listen", "8080", "must be an address and a port")]
#[case("commit_lanes", "15", "must be a whole number from 1 to 14, not \"15\"")]
#[case("log_format", "xml", "must be text or json")]
#[case("log_format", "jsno", "must be text or json, not \"jsno\"; did you mean json?")]
#[case("access_log", "offf", "must be on or off, not \"offf\"; did you mean off?")]
#[case("log", "innkeeper=loud", "must be a level (off, error, warn, info, debug, trace) or target=level pairs")]
#[case("log", "inof", "\"inof\" is not a level; did you mean info?")]
#[case(
    "log",
    "info,actix_srver=warn",
    "\"actix_srver\" is not a target that logs anything; did you mean actix_server?"
)]
#[case("log", "innkeper=debug", "did you mean innkeeper?")]
#[case("log", "warn,innkeeper::htp=debug", "did you mean innkeeper::http?")]
#[case("log", "warn,acess=info", "did you mean access?")]
#[case("node_id", "node\u{202e}1", "must not contain characters that change the direction of text")]
#[case("database_url", "sqlite://inn\u{7}.db", "must not contain control characters")]
fn a_value_that_breaks_a_rule_names_key_origin_and_rule(#[case] key: &str, #[case] value: &str, #[case] rule: &str) {
    let variable = format!("INNKEEPER_{}", key.to_uppercase());
    let message = refusal(&[], &[(&variable, value)]);
    assert!(message.starts_with(key) && message.contains(rule), "{message}");
    assert!(message.contains(&format!("the environment variable {variable}")), "{message}");
}

#[test]
fn a_table_is_no_value() {
    let message = refusal(&[("innkeeper.toml", "[listen]\nport = 1")], &[]);
    assert!(message.contains("listen must be a single value"), "{message}");
}

#[test]
fn an_empty_variable_is_not_set() {
    assert_eq!(load(&[], &[("INNKEEPER_ADMIN_TOKEN", "")]).unwrap().admin_token, None);
}

#[test]
fn secrets_stay_out_of_errors_and_debug_output() {
    let config = load(&[], &[("INNKEEPER_ADMIN_TOKEN", "open-sesame-please")]).unwrap();
    assert!(!format!("{config:?}").contains("open-sesame"));
    let config = load(&[], &[("INNKEEPER_DATABASE_URL", "postgres://me:open-sesame@db/inn")]).unwrap();
    assert!(!format!("{config:?}").contains("open-sesame"));
    assert!(!refusal(&[], &[("INNKEEPER_ADMIN_TOKEN", "open sesame please")]).contains("sesame"));
    assert!(!refusal(&[("innkeeper.toml", "admin_token = \"open-sesame")], &[]).contains("sesame"));
    assert!(!refusal(&[(".env", "INNKEEPER_ADMIN_TOKEN='open-sesame")], &[]).contains("sesame"));
}

#[test]
fn a_token_is_not_short_enough_to_be_guessed() {
    let message = refusal(&[], &[("INNKEEPER_ADMIN_TOKEN", "fifteen-letters")]);
    assert!(message.starts_with("admin_token must be 16 to 255 visible ASCII characters ("), "{message}");
    assert!(load(&[], &[("INNKEEPER_ADMIN_TOKEN", "sixteen--letters")]).is_ok());
}

/// What makes a node one of many.
const NODE: [(&str, &str); 3] = [
    ("INNKEEPER_DATABASE_URL", "postgres://db/innkeeper"),
    ("INNKEEPER_REDIS_URL", "rediss://:hush-hush@redis:6379"),
    ("INNKEEPER_CLUSTER_SECRET", "known-to-all-nodes"),
];

#[test]
fn with_a_redis_a_node_is_one_of_many() {
    assert!(load(&[], &[]).unwrap().cluster.is_none());
    let config = load(&[], &NODE).unwrap();
    assert!(!format!("{config:?}").contains("hush"));
    let cluster = config.cluster.unwrap();
    assert_eq!(cluster.leases.ttl, Duration::from_secs(10));
    assert_eq!((cluster.node, cluster.advertise_url), (None, None));
}

#[rstest]
#[case("INNKEEPER_DATABASE_URL", "sqlite://x.db", "redis_url needs a database that nodes can share")]
#[case("INNKEEPER_CLUSTER_SECRET", "", "cluster_secret must be set where redis_url is")]
#[case("INNKEEPER_LISTEN", "0.0.0.0:8080", "advertise_url must be set where redis_url is")]
#[case("INNKEEPER_REDIS_URL", "hush-hush", "redis_url must be redis:// or rediss:// addresses")]
#[case("INNKEEPER_NODE_ID", "node 1", "node_id must be 1 to 64 letters")]
#[case("INNKEEPER_ADVERTISE_URL", "node-1:8080", "advertise_url must be like http://10.0.0.5:8080")]
#[case("INNKEEPER_LEASE_TTL_SECS", "0", "lease_ttl_secs must be a number of seconds from 1 to 300")]
fn a_node_that_could_not_work_with_others_does_not_start(#[case] name: &str, #[case] value: &str, #[case] rule: &str) {
    let others = NODE.into_iter().filter(|(key, _)| *key != name);
    let message = refusal(&[], &others.chain([(name, value)]).collect::<Vec<_>>());
    assert!(message.starts_with(rule) && !message.contains("hush"), "{message}");
}

#[test]
fn the_example_names_every_setting_and_can_be_used_as_it_stands() {
    let example = include_str!("../../.env.example");
    for setting in setting::SETTINGS {
        let line = example.lines().find(|line| line.trim_start_matches("# ").starts_with(&setting.variable()));
        assert!(line.is_some(), "{} is not in .env.example", setting.key);
    }
    let set = example.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>().join("\n");
    assert_eq!(load(&[(".env", &set)], &[]).unwrap().admin_token, None);
    let all = example.replace("# INNKEEPER_", "INNKEEPER_");
    assert_eq!(load(&[(".env", &all)], &[]).unwrap().engine.mailbox, 1_024);
}
