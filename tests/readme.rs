//! What the README says the program prints is what it prints.
//!
//! After a change of the model, `LUBB_README=write cargo test --test readme` writes the outputs anew.

use std::fmt::Write;

use assert_cmd::Command;

const BEGIN: &str = "<!-- output of: ";

/// The README with the outputs as they are now: a mark with the arguments stands before each block of them.
fn renewed(readme: &str) -> String {
    let mut parts = readme.split(BEGIN);
    let mut renewed = parts.next().unwrap().to_owned();
    for part in parts {
        let (arguments, rest) = part.split_once(" -->\n```console\n").unwrap();
        let (_, after) = rest.split_once("```\n").unwrap();
        let output = Command::cargo_bin("lubb").unwrap().args(arguments.split(' ')).output().unwrap();
        assert!(output.status.success(), "lubb {arguments}: {}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        write!(renewed, "{BEGIN}{arguments} -->\n```console\n$ lubb {arguments}\n{text}```\n{after}").unwrap();
    }
    renewed
}

#[test]
fn the_outputs_in_the_readme_are_real() {
    let readme = std::fs::read_to_string("README.md").unwrap();
    assert!(readme.contains(BEGIN));
    let renewed = renewed(&readme);
    if std::env::var("LUBB_README").as_deref() == Ok("write") {
        std::fs::write("README.md", &renewed).unwrap();
    }
    assert!(
        readme == renewed || std::env::var("LUBB_README").is_ok(),
        "renew it: LUBB_README=write cargo test --test readme"
    );
}
