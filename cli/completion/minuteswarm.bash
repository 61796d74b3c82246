# bash completion for minuteswarm

_minuteswarm() {
    local current=$2 previous=$3 command= word
    local commands="publish watch relay seed export inspect keygen link"
    local network="--listen --peer --tracker --uplink --no-edge --no-dht --no-lsd --no-port-mapping --dht-bootstrap
        --proxy --http --json --help"
    COMPREPLY=()
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        if [[ " $commands " == *" $word "* ]]; then
            command=$word
            break
        fi
    done

    case $previous in
        --key | --link-file | -o | --output) COMPREPLY=($(compgen -f -- "$current")); return ;;
        --archive | --cache | --torrents) COMPREPLY=($(compgen -d -- "$current")); return ;;
        --player) COMPREPLY=($(compgen -c -- "$current")); return ;;
        --title | --chunk | --retain | --listen | --peer | --tracker | --web-seed | --uplink | --dht-bootstrap | \
            --proxy | --http | --latency | --cache-size | --from | --to | --channel) return ;;
    esac

    if [[ -z $command ]]; then
        COMPREPLY=($(compgen -W "$commands --help --version" -- "$current"))
        return
    fi
    local options=--help
    case $command in
        publish)
            options="--channel --key --title --chunk --archive --retain --parity --new-event --loop --as-fast-as-possible
                --web-seed --link-file $network"
            ;;
        watch) options="--latency -o --output --force --player --open --cache --cache-size --keep $network" ;;
        relay) options="--cache --cache-size --keep $network" ;;
        seed) options="--web-seed $network" ;;
        export) options="-o --output --from --to --force --help" ;;
        inspect) options="--json --help" ;;
        link) options="--channel --key --peer --tracker --torrents --help" ;;
    esac
    if [[ $current == -* ]]; then
        COMPREPLY=($(compgen -W "$options" -- "$current"))
    else
        COMPREPLY=($(compgen -f -- "$current"))
    fi
}

complete -o filenames -F _minuteswarm minuteswarm
