//! Circles of a directed graph.

use std::collections::{BTreeMap, BTreeSet};

/// Returns the strongly connected components of more than one node.
pub fn circles<'a>(graph: &BTreeMap<&'a str, Vec<&'a str>>) -> Vec<BTreeSet<&'a str>> {
    let reach: BTreeMap<&str, BTreeSet<&str>> =
        graph.keys().map(|from| (*from, reached(graph, from))).collect();
    let reaches = |from: &str, to: &str| reach.get(from).is_some_and(|found| found.contains(to));
    let mut circles: Vec<BTreeSet<&str>> = Vec::new();
    for node in graph.keys() {
        if circles.iter().any(|circle| circle.contains(node)) || !reaches(node, node) {
            continue;
        }
        let is_in = |other: &&&str| reaches(node, other) && reaches(other, node);
        circles.push(graph.keys().filter(is_in).copied().collect());
    }
    circles
}

/// Returns what can be reached from `from` in one step or more.
fn reached<'a>(graph: &BTreeMap<&'a str, Vec<&'a str>>, from: &str) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut open = vec![from];
    while let Some(node) = open.pop() {
        for next in graph.get(node).into_iter().flatten() {
            if found.insert(*next) {
                open.push(next);
            }
        }
    }
    found
}

#[test]
fn circles_are_found_and_lines_are_not() {
    let graph = BTreeMap::from([
        ("a", vec!["b"]),
        ("b", vec!["c", "d"]),
        ("c", vec!["b"]),
        ("d", vec!["e"]),
    ]);
    assert_eq!(circles(&graph), [BTreeSet::from(["b", "c"])]);
}
