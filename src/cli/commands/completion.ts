import { Argument, Command } from 'commander'
import { examples, prose } from '../terminal/help-text.ts'

const SHELLS = ['bash', 'zsh', 'fish'] as const
type Shell = (typeof SHELLS)[number]

/** `completion`: the names of commands and options, for a shell. */
export function completionCommand(): Command {
  return new Command('completion')
    .summary('print what a shell needs to complete commands and options')
    .description(prose('Prints a script that completes the names of commands and options in a shell.'))
    .addArgument(new Argument('<shell>', 'whose script').choices(SHELLS))
    .addHelpText(
      'after',
      examples(
        ['source <(farthing completion bash)', 'in ~/.bashrc'],
        ['farthing completion fish > ~/.config/fish/completions/farthing.fish', 'once'],
      ),
    )
    .action((shell: Shell, _: object, { parent }: Command) => {
      process.stdout.write(scriptOf(shell, parent!))
    })
}

/** A command by the words that lead to it, and the words that may follow. */
interface Place {
  readonly path: readonly string[]
  readonly command: Command
  readonly words: readonly string[]
}

function placesOf(command: Command, path: readonly string[] = []): readonly Place[] {
  const names = command.commands.map((child) => child.name())
  const options = command.options.flatMap(({ long }) => long ?? [])
  const own = { path, command, words: [...names, ...options, '--help'] }
  return [own, ...command.commands.flatMap((child) => placesOf(child, [...path, child.name()]))]
}

function scriptOf(shell: Shell, program: Command): string {
  const places = placesOf(program)
  if (shell === 'fish') return fishScript(places)
  return (shell === 'zsh' ? ZSH_HEAD : '') + bashScript(places)
}

/** zsh understands the script of bash once its own completion and that of bash are loaded, which .zshrc may leave out. */
const ZSH_HEAD = `(( $+functions[compdef] )) || { autoload -U compinit && compinit -u; }
autoload -U +X bashcompinit && bashcompinit
`

function bashScript(places: readonly Place[]): string {
  const known = places.slice(1).map(({ path }) => `/${path.join('/')}`)
  const cases = places.map(({ path, words }) => {
    const place = path.map((name) => `/${name}`).join('')
    return `    '${place}') words='${words.join(' ')}' ;;`
  })
  return `_farthing() {
  local cur=\${COMP_WORDS[COMP_CWORD]} place= words= word at
  for ((at = 1; at < COMP_CWORD; at++)); do
    word=\${COMP_WORDS[at]}
    case "$place/$word" in
      ${known.join('|')}) place="$place/$word" ;;
    esac
  done
  case "$place" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o default -F _farthing farthing
`
}

function fishScript(places: readonly Place[]): string {
  const lines = places.flatMap(({ path, command }) => {
    const when = path.length === 0 ? '__fish_use_subcommand' : path.map(seen).join('; and ')
    const names = command.commands.map((child) => {
      return `complete -c farthing -n '${when}' -a ${child.name()} -d '${quoted(child.summary() || child.description())}'`
    })
    const options = command.options.map(({ long, description }) => {
      return `complete -c farthing -n '${when}' -l ${long!.slice(2)} -d '${quoted(description)}'`
    })
    return [...names, ...options, `complete -c farthing -n '${when}' -l help -d 'print the help'`]
  })
  return `${lines.join('\n')}\n`
}

function seen(name: string): string {
  return `__fish_seen_subcommand_from ${name}`
}

function quoted(text: string): string {
  return text.replaceAll(/[\\']/g, '\\$&')
}
