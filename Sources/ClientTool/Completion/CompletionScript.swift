/// What a shell has to be told so that it completes the words of `gozon`. All of the knowledge is in `gozon complete`,
/// which is given the words up to the cursor and prints a candidate on each line, some with a tab and an explanation.
enum CompletionScript: String, CaseIterable, Sendable {
  case bash, zsh, fish

  /// How to switch it on for good.
  var installation: String {
    switch self {
    case .bash: "gozon completion bash > ~/.local/share/bash-completion/completions/gozon"
    case .zsh: "gozon completion zsh > \"${fpath[1]}/_gozon\""
    case .fish: "gozon completion fish > ~/.config/fish/completions/gozon.fish"
    }
  }

  /// The script.
  var text: String {
    switch self {
    case .bash:
      """
      # Completion of gozon for bash 4 and later; made by: gozon completion bash
      _gozon() {
        # bash cuts words at = : @ too: what is not apart on the line is one word.
        local rest=$COMP_LINE part line words=()
        for part in "${COMP_WORDS[@]:0:COMP_CWORD+1}"; do
          if [[ ${#words[@]} -gt 0 && $rest != [[:space:]]* ]]; then
            words[-1]+=$part
          else
            words+=("$part")
          fi
          rest=${rest#"${rest%%[![:space:]]*}"}
          rest=${rest#"$part"}
        done
        # What stands in front of the part that bash completes.
        local kept=$(( ${#words[-1]} - ${#2} ))
        COMPREPLY=()
        while IFS= read -r line; do
          line=${line%%$'\t'*}
          COMPREPLY+=("${line:kept}")
        done < <("${words[0]}" complete -- "${words[@]:1}" 2>/dev/null)
        # Behind a directory the path goes on.
        if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == */ ]]; then compopt -o nospace; fi
      }
      complete -F _gozon gozon
      """
    case .zsh:
      """
      #compdef gozon
      # Completion of gozon for zsh; made by: gozon completion zsh
      _gozon() {
        local line
        local -a plain paths explained
        for line in "${(@f)$("${words[1]}" complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
          if [[ $line == *$'\\t'* ]]; then
            explained+=("${${line%%$'\\t'*}//:/\\\\:}:${line#*$'\\t'}")
          elif [[ $line == */ ]]; then
            paths+=("$line")
          elif [[ -n $line ]]; then
            plain+=("$line")
          fi
        done
        (( $#explained )) && _describe gozon explained
        (( $#plain )) && compadd -- $plain
        # Behind a directory the path goes on.
        (( $#paths )) && compadd -S '' -- $paths
        return 0
      }
      if [[ $funcstack[1] == _gozon ]]; then _gozon "$@"; else compdef _gozon gozon; fi
      """
    case .fish:
      """
      # Completion of gozon for fish; made by: gozon completion fish
      function __gozon_complete
        set -l words (commandline -opc) (commandline -ct)
        $words[1] complete -- $words[2..-1] 2>/dev/null
      end
      complete -c gozon -f -a '(__gozon_complete)'
      """
    }
  }
}
